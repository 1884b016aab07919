/**
 * Mapping several segments into one set of tables, each with its own attributes.
 *
 * No two segments share a last-level entry unless they agree about it: a segment whose first page, or block where
 * blocks are all there is, belongs to the one before it starts behind that, if both have the same attributes and the
 * same distance between VA and PA; otherwise the mapping is refused. Linux aligns segments to 64 KiB and BUG()s.
 */
import { formatVa, type Va, va } from '../address.js';
import { alignDown, alignUp } from '../bits.js';
import { MappingError } from '../errors.js';
import { type Granularity, mappingUnits, planLeaves } from './leaf-run.js';
import { type EntryAttributes, type PopulationObserver, populate } from './population.js';
import type { TableSet } from './table-set.js';

/** A range of memory to map; what is left of its first and last page is mapped too. */
export interface MappedSegment {
  readonly name: string;
  readonly start: Va;
  readonly end: Va;
  /** Physical address of `start`. */
  readonly pa: number;
  readonly contiguous: boolean;
  readonly attributes: EntryAttributes;
}

/**
 * Maps segments, given in any order.
 * @param granularity `contiguous` levels hold for the segments that allow it; ends are rounded outwards to `roundTo`
 *   bytes, at least a page
 * @throws MappingError CONFLICT if two segments disagree about an entry, or with what the tables hold; MISALIGNED if
 *   VA and PA differ within `roundTo`; BAD_RANGE; TOO_LARGE
 */
export function mapSegments(
  tables: TableSet,
  segments: readonly MappedSegment[],
  granularity: Granularity & { readonly roundTo: number },
  observer?: PopulationObserver,
): void {
  const { regime } = tables;
  const single = mappingUnits(regime, { ...granularity, contiguous: [] });
  const grouped = mappingUnits(regime, granularity);
  const rounded = segments.map((segment) => roundOutwards(segment, granularity.roundTo));
  for (const segment of separate(rounded)) {
    const range = { va: segment.start, pa: segment.pa, size: segment.end - segment.start };
    populate(tables, planLeaves(regime, range, segment.contiguous ? grouped : single), segment.attributes, observer);
  }
}

function roundOutwards(segment: MappedSegment, roundTo: number): MappedSegment {
  const start = va(alignDown(segment.start, roundTo));
  const pa = segment.pa - (segment.start - start);
  if (pa % roundTo !== 0) {
    throw new MappingError('MISALIGNED', `${segment.name}: VA and PA differ within ${roundTo} bytes`, {
      segment: segment.name,
      va: formatVa(segment.start),
      pa: segment.pa,
    });
  }
  return { ...segment, start, pa, end: va(alignUp(segment.end, roundTo)) };
}

/** The segments without what an earlier one, in address order, maps already. */
function separate(segments: readonly MappedSegment[]): MappedSegment[] {
  const apart: MappedSegment[] = [];
  for (const segment of [...segments].sort((a, b) => a.start - b.start)) {
    const before = apart.at(-1);
    if (before === undefined || segment.start >= before.end) {
      apart.push(segment);
      continue;
    }
    const { leaf, table } = segment.attributes;
    const agree =
      before.attributes.leaf === leaf &&
      before.attributes.table === table &&
      before.pa - before.start === segment.pa - segment.start;
    if (!agree) {
      throw new MappingError(
        'CONFLICT',
        `${before.name} and ${segment.name} share the entry at ${formatVa(segment.start)}`,
        {
          va: formatVa(segment.start),
          segments: [before.name, segment.name],
        },
      );
    }
    if (segment.end > before.end) {
      apart.push({ ...segment, start: before.end, pa: segment.pa + (before.end - segment.start) });
    }
  }
  return apart;
}
