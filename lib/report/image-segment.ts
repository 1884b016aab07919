/** The parts of an image between the symbols that bound them, whether or not the kernel maps them apart. */
import type { Boundaries, BoundarySymbol } from '../mmu/boundary.js';
import type { ImageSegment } from './report-data.js';

const SEGMENTS: readonly (readonly [string, BoundarySymbol, BoundarySymbol])[] = [
  ['head', '_text', '_stext'],
  ['text', '_stext', '_etext'],
  ['rodata', '__start_rodata', '__inittext_begin'],
  ['init text', '__inittext_begin', '__inittext_end'],
  ['init data', '__initdata_begin', '__initdata_end'],
  ['data', '_data', '_end'],
];

/** Ascending; a part with a bound that is not known, or of no size, is left out. */
export function imageSegments(boundaries: Boundaries, text: number): ImageSegment[] {
  return SEGMENTS.flatMap(([name, from, to]) => {
    const start = boundaries[from];
    const end = boundaries[to];
    return start === undefined || end === undefined || start >= end
      ? []
      : [{ name, start: start - text, end: end - text }];
  });
}
