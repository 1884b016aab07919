/**
 * The stretch of the address space that a picture shows, and how it zooms and pans.
 *
 * Addresses are signed and exact (lib/address.ts); only distances inside the viewport are scaled to pixels, so that a page at
 * 0xffff800008000000 is drawn as sharply as one at 0.
 */

export interface Viewport {
  /** Address at the left edge. */
  readonly start: number;
  /** Bytes shown. */
  readonly span: number;
}

/** What may be shown at most, and the least span. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
  readonly leastSpan: number;
}

/** The nearest viewport within the bounds, on whole bytes. */
export function clamped({ start, span }: Viewport, bounds: Bounds): Viewport {
  const whole = bounds.end - bounds.start;
  const size = Math.round(Math.min(Math.max(span, Math.min(bounds.leastSpan, whole)), whole));
  return { start: Math.round(Math.min(Math.max(start, bounds.start), bounds.end - size)), span: size };
}

/**
 * Zooms so that what lies at `anchor` stays there.
 * @param factor above 1: closer
 * @param anchor 0: the left edge, 1: the right one
 */
export function zoomed({ start, span }: Viewport, factor: number, anchor: number, bounds: Bounds): Viewport {
  const size = clamped({ start, span: span / factor }, bounds).span;
  return clamped({ start: start + (span - size) * anchor, span: size }, bounds);
}

/** Moves by a share of what is shown. */
export function panned({ start, span }: Viewport, share: number, bounds: Bounds): Viewport {
  return clamped({ start: start + span * share, span }, bounds);
}

/** Shows `[start, end)` with a margin on both sides. */
export function fitted(range: { readonly start: number; readonly end: number }, bounds: Bounds): Viewport {
  const size = Math.max((range.end - range.start) * 1.1, bounds.leastSpan);
  return clamped({ start: (range.start + range.end) / 2 - size / 2, span: size }, bounds);
}

/** Multiples of a power of two, at least `leastGap` pixels apart, inside the viewport. */
export function addressTicks(
  { start, span }: Viewport,
  { width, leastGap }: { width: number; leastGap: number },
): number[] {
  const step = 2 ** Math.ceil(Math.log2((span * leastGap) / width));
  const ticks: number[] = [];
  for (let at = Math.ceil(start / step) * step; at <= start + span; at += step) ticks.push(at);
  return ticks;
}

export function pixelOf(address: number, { start, span }: Viewport, width: number): number {
  return ((address - start) / span) * width;
}
