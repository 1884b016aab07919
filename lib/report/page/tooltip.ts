/** What a bar is, beside the pointer. The same stands in the table below each picture, for who has no pointer. */
import { element } from './element.js';

/** As CSS has it. */
const WIDTH = 300;

export class Tooltip {
  readonly element = element('div', { class: 'tooltip', hidden: true, 'aria-hidden': 'true' });

  show(lines: readonly string[], { x, y, width }: { x: number; y: number; width: number }): void {
    this.element.replaceChildren(...lines.map((line, i) => element(i === 0 ? 'strong' : 'span', {}, line)));
    this.element.style.left = `${Math.max(0, Math.min(x + 12, width - WIDTH))}px`;
    this.element.style.top = `${y + 16}px`;
    this.element.hidden = false;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
