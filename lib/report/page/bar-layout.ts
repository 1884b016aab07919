/** From the things of one track to the bars that are drawn: what is out of sight is left out, what is too small is joined. */
import { pixelOf, type Viewport } from './viewport.js';

/** Something that occupies `[start, end)`. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface Bar {
  /** Pixels, at least 1 wide. */
  readonly x: number;
  readonly width: number;
  /** Indexes of the things it stands for, `[first, last]`. */
  readonly first: number;
  readonly last: number;
}

/** A thing below this width is small: neighbours that are small and within a pixel of each other are one bar. */
const LEAST_WIDTH = 1.5;
/** How far a bar may reach out of sight: SVG needs no more to look cut off. */
const OUTSIDE = 4;

/** @param extents ascending and disjoint */
export function barsOf(extents: readonly Extent[], viewport: Viewport, width: number): Bar[] {
  const bars: Bar[] = [];
  const end = viewport.start + viewport.span;
  let isGrowing = false;
  for (let i = firstEndingAfter(extents, viewport.start); i < extents.length; i++) {
    const extent = extents[i]!;
    if (extent.start >= end) break;
    const x = Math.max(pixelOf(extent.start, viewport, width), -OUTSIDE);
    const right = Math.min(pixelOf(extent.end, viewport, width), width + OUTSIDE);
    const isSmall = right - x < LEAST_WIDTH;
    const previous = bars.at(-1);
    if (previous && isGrowing && isSmall && x - (previous.x + previous.width) < 1) {
      bars[bars.length - 1] = { ...previous, width: Math.max(right - previous.x, previous.width), last: i };
    } else bars.push({ x, width: Math.max(right - x, 1), first: i, last: i });
    isGrowing = isSmall;
  }
  return bars;
}

function firstEndingAfter(extents: readonly Extent[], address: number): number {
  let low = 0;
  for (let high = extents.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (extents[middle]!.end <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
