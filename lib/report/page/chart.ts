/** Charts of Observable Plot, drawn anew when their place changes width or what they show changes. */
import { type PlotOptions, plot } from '@observablehq/plot';
import { element, onWidth } from './element.js';

export class Chart {
  readonly element: HTMLElement;
  readonly #host = element('div', { class: 'chart' });
  readonly #caption: HTMLElement;
  #options: (() => PlotOptions) | undefined;
  #width = 0;

  /** @param label what the chart shows, read out in its stead and printed above it */
  constructor(label: string) {
    this.#caption = element('figcaption', {}, label);
    this.element = element('figure', {}, this.#caption, this.#host);
    onWidth(this.#host, (width) => {
      this.#width = width;
      this.#draw();
    });
  }

  /** Draws now, if it has a place yet, and whenever the width changes; under another label if there is one. */
  show(options: () => PlotOptions, label?: string): void {
    if (label !== undefined) this.#caption.textContent = label;
    this.#options = options;
    this.#draw();
  }

  #draw(): void {
    if (!this.#options || this.#width === 0) return;
    const made = plot({ ariaLabel: this.#caption.textContent, ...this.#options(), width: this.#width });
    made.setAttribute('role', 'img');
    this.#host.replaceChildren(made);
  }
}
