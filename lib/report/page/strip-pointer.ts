/** Dragging moves a strip, in its overview it goes there; a double click, or the wheel with Ctrl, zooms where the pointer is. */
import { OVERVIEW } from './strip-drawing.js';
import { type Bounds, clamped, panned, type Viewport, zoomed } from './viewport.js';

export interface PointerTarget {
  readonly svg: SVGSVGElement;
  readonly bounds: Bounds;
  readonly viewport: () => Viewport;
  readonly move: (viewport: Viewport) => void;
  /** The pointer is somewhere, without moving the strip. */
  readonly point: (event: PointerEvent, at: { readonly x: number; readonly y: number }) => void;
  readonly leave: () => void;
}

const DOUBLE_CLICK = 4;
/** A notch of a wheel is 100 pixels or so: a quarter closer. */
const WHEEL = 1.002;

interface Drag {
  readonly x: number;
  readonly from: Viewport;
  readonly isOverview: boolean;
}

export function listenToPointer(picture: HTMLElement, target: PointerTarget): void {
  const { svg, bounds, viewport, move } = target;
  const placeOf = (event: MouseEvent) => {
    const { left, top, width } = svg.getBoundingClientRect();
    const x = event.clientX - left;
    return { x, y: event.clientY - top, width, anchor: x / width };
  };
  const zoomAt = (factor: number, anchor: number): void => move(zoomed(viewport(), factor, anchor, bounds));
  const centreOn = (anchor: number): void => {
    const { span } = viewport();
    const centre = bounds.start + (bounds.end - bounds.start) * anchor;
    move(clamped({ start: centre - span / 2, span }, bounds));
  };
  let drag: Drag | undefined;
  const end = (): void => {
    drag = undefined;
  };

  picture.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const { x, y, anchor } = placeOf(event);
    drag = { x, from: viewport(), isOverview: y < OVERVIEW };
    picture.setPointerCapture(event.pointerId);
    if (drag.isOverview) centreOn(anchor);
  });
  picture.addEventListener('pointermove', (event) => {
    const { x, y, width, anchor } = placeOf(event);
    if (!drag) target.point(event, { x, y });
    else if (drag.isOverview) centreOn(anchor);
    else move(panned(drag.from, (drag.x - x) / width, bounds));
  });
  picture.addEventListener('pointerup', end);
  picture.addEventListener('pointercancel', end);
  picture.addEventListener('pointerleave', target.leave);
  picture.addEventListener('dblclick', (event) => {
    const { y, anchor } = placeOf(event);
    if (y >= OVERVIEW) zoomAt(DOUBLE_CLICK, anchor);
  });
  picture.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomAt(WHEEL ** -event.deltaY, placeOf(event).anchor);
    },
    { passive: false },
  );
}
