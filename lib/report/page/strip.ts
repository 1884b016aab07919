/** The picture with its controls: buttons, keys and pointer all move one viewport. */
import { formatVa, va } from '../../address.js';
import type { Extent } from './bar-layout.js';
import { button, element, onWidth, svgElement } from './element.js';
import { formatSize } from './quantity.js';
import { type BarSource, drawStrip, type StripItem, type Track } from './strip-drawing.js';
import { listenToPointer } from './strip-pointer.js';
import { Tooltip } from './tooltip.js';
import { type Bounds, clamped, fitted, panned, type Viewport, zoomed } from './viewport.js';

export interface StripOptions {
  readonly label: string;
  readonly bounds: Bounds;
  /** What is drawn small above everything. */
  readonly overview: readonly StripItem[];
  /** Names of the colours. */
  readonly legend: readonly { readonly tone: string; readonly name: string }[];
  readonly presets: readonly { readonly name: string; readonly range: () => Extent | undefined }[];
}

const ZOOM_STEP = 2;
const PAN_STEP = 0.2;

export class Strip {
  readonly element: HTMLElement;
  readonly #options: StripOptions;
  readonly #svg: SVGSVGElement;
  readonly #status = element('output', { class: 'range' });
  readonly #tooltip = new Tooltip();
  #viewport: Viewport;
  #tracks: readonly Track[] = [];
  #sources: BarSource[] = [];
  #width = 0;
  #isScheduled = false;

  constructor(options: StripOptions) {
    const { label, bounds } = options;
    this.#options = options;
    this.#viewport = { start: bounds.start, span: bounds.end - bounds.start };
    this.#svg = svgElement('svg', { class: 'strip', width: '100%', role: 'img', 'aria-label': label });
    const help = 'arrow keys move, + and - zoom, Home shows everything';
    const picture = element('div', {
      class: 'strip-frame',
      tabindex: 0,
      role: 'group',
      'aria-label': `${label}: ${help}`,
    });
    picture.append(this.#svg, this.#tooltip.element);
    this.element = element('div', { class: 'strip-box' }, this.#controls(), picture, this.#legend(), this.#status);
    picture.addEventListener('keydown', (event) => this.#onKey(event));
    listenToPointer(picture, {
      bounds,
      svg: this.#svg,
      viewport: () => this.#viewport,
      move: (viewport) => this.#move(viewport),
      point: (event, at) => this.#point(event, at),
      leave: () => this.#tooltip.hide(),
    });
    onWidth(picture, (width) => {
      this.#width = width;
      this.#schedule();
    });
  }

  setTracks(tracks: readonly Track[]): void {
    this.#tracks = tracks;
    this.#schedule();
  }

  /** Shows a range with a margin around it. */
  show(range: Extent): void {
    this.#move(fitted(range, this.#options.bounds));
  }

  /** Bytes shown. */
  get span(): number {
    return this.#viewport.span;
  }

  /** Moves by so many bytes. */
  shift(distance: number): void {
    const { start, span } = this.#viewport;
    this.#move(clamped({ start: start + distance, span }, this.#options.bounds));
  }

  #controls(): HTMLElement {
    const { presets } = this.#options;
    const act = (name: string, label: string, change: () => Viewport) =>
      button(name, () => this.#move(change()), { 'aria-label': label, title: label, class: 'icon' });
    return element(
      'div',
      { class: 'controls', role: 'group', 'aria-label': 'view' },
      act('\u2190', 'move left', () => this.#pan(-PAN_STEP)),
      act('\u2192', 'move right', () => this.#pan(PAN_STEP)),
      act('\u2212', 'zoom out', () => this.#zoom(1 / ZOOM_STEP)),
      act('+', 'zoom in', () => this.#zoom(ZOOM_STEP)),
      ...presets.map(({ name, range }) =>
        button(name, () => {
          const shown = range();
          if (shown) this.show(shown);
        }),
      ),
    );
  }

  #legend(): HTMLElement {
    const items = this.#options.legend.map(({ tone, name }) => {
      const sample = svgElement('rect', { class: `bar tone-${tone}`, x: 0.5, y: 0.5, width: 13, height: 9 });
      return element('li', {}, svgElement('svg', { 'aria-hidden': 'true' }, sample), name);
    });
    return element('ul', { class: 'legend', 'aria-label': 'colours' }, ...items);
  }

  #zoom(factor: number, anchor = 0.5): Viewport {
    return zoomed(this.#viewport, factor, anchor, this.#options.bounds);
  }

  #pan(share: number): Viewport {
    return panned(this.#viewport, share, this.#options.bounds);
  }

  #move(viewport: Viewport): void {
    this.#viewport = viewport;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#width === 0) return;
    const { bounds, overview } = this.#options;
    const viewport = this.#viewport;
    const whole = { start: bounds.start, span: bounds.end - bounds.start };
    const drawing = { whole, overview, tracks: this.#tracks, viewport, width: this.#width };
    this.#sources = drawStrip(this.#svg, drawing);
    this.#tooltip.hide();
    const last = formatVa(va(viewport.start + viewport.span - 1));
    const scale = formatSize(viewport.span / this.#width);
    this.#status.value = `${formatVa(va(viewport.start))} to ${last}: ${formatSize(viewport.span)}, ${scale} a pixel`;
  }

  #onKey(event: KeyboardEvent): void {
    const { bounds } = this.#options;
    const actions: Readonly<Record<string, () => Viewport>> = {
      ArrowLeft: () => this.#pan(-PAN_STEP),
      ArrowRight: () => this.#pan(PAN_STEP),
      '+': () => this.#zoom(ZOOM_STEP),
      '=': () => this.#zoom(ZOOM_STEP),
      '-': () => this.#zoom(1 / ZOOM_STEP),
      Home: () => clamped({ start: bounds.start, span: Number.POSITIVE_INFINITY }, bounds),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#move(action());
  }

  #point(event: PointerEvent, at: { x: number; y: number }): void {
    const index = event.target instanceof Element ? event.target.getAttribute('data-bar') : null;
    const source = index === null ? undefined : this.#sources[Number(index)];
    if (!source) {
      this.#tooltip.hide();
      return;
    }
    const { track, bar } = source;
    const { first, last } = bar;
    const items = track.items.slice(first, last + 1);
    const lines = first === last ? [items[0]!.label, ...items[0]!.facts()] : joinedFacts(items);
    this.#tooltip.show(lines, { ...at, width: this.#width });
  }
}

function joinedFacts(items: readonly StripItem[]): string[] {
  const names = items.slice(0, 6).map(({ label }) => label);
  const more = items.length > names.length ? ` and ${items.length - names.length} more` : '';
  const [start, end] = [items[0]!.start, items.at(-1)!.end];
  return [
    `${items.length} together`,
    `${names.join(', ')}${more}`,
    `${formatVa(va(start))}, ${formatSize(end - start)}`,
  ];
}
