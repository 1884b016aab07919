/**
 * The planner: which blocks and pages map a range, as runs of equal entries.
 *
 * A range is split at the largest unit for which VA and PA are congruent; what is left over at both ends is split
 * by the next smaller one. Every unit's size divides the next larger, so no other choice uses fewer entries. Runs
 * and not entries, since a linear map of 64 GiB is a handful of runs and sixteen million pages.
 */
import { type Va, va } from '../address.js';
import { alignDown, alignUp } from '../bits.js';
import { checkMappable, contiguousEntries, levelSize, type TranslationRegime } from './translation-regime.js';

/** One way to map: an entry of `level`, or a whole contiguous group of them. */
export interface MappingUnit {
  readonly level: number;
  readonly contiguous: boolean;
  /** Bytes, and the alignment that VA and PA need. */
  readonly size: number;
}

/** Levels at which blocks, and contiguous groups, may be used. Pages are always allowed. */
export interface Granularity {
  readonly blocks: readonly number[];
  readonly contiguous: readonly number[];
}

/** `count` entries of one level, VA and PA rising together by `entrySize`. */
export interface LeafRun {
  readonly va: Va;
  readonly pa: number;
  readonly level: number;
  readonly contiguous: boolean;
  readonly entrySize: number;
  readonly count: number;
}

/** The units a granularity allows, largest first; a contiguous group of blocks needs the block too. */
export function mappingUnits(regime: TranslationRegime, granularity: Granularity): MappingUnit[] {
  const levels = [...granularity.blocks.filter((level) => level >= regime.startLevel), 3].sort((a, b) => a - b);
  return levels.flatMap((level) => {
    const size = levelSize(regime, level);
    const group = granularity.contiguous.includes(level) ? contiguousEntries(regime, level) : 0;
    const single: MappingUnit = { level, contiguous: false, size };
    return group > 0 ? [{ level, contiguous: true, size: size * group }, single] : [single];
  });
}

/**
 * Splits a range into the fewest entries that the units allow, in rising order.
 * @param range whole pages
 * @throws MappingError BAD_RANGE or MISALIGNED if the regime cannot map it
 */
export function planLeaves(
  regime: TranslationRegime,
  range: { va: Va; pa: number; size: number },
  units: readonly MappingUnit[],
): LeafRun[] {
  checkMappable(regime, range);
  const distance = range.pa - range.va;
  const split = (start: number, end: number, depth: number): LeafRun[] => {
    const unit = units[depth];
    if (start >= end || unit === undefined) return [];
    const first = alignUp(start, unit.size);
    const last = alignDown(end, unit.size);
    if (distance % unit.size !== 0 || first >= last) return split(start, end, depth + 1);
    const { level, contiguous } = unit;
    const entrySize = levelSize(regime, level);
    const count = (last - first) / entrySize;
    const run: LeafRun = { va: va(first), pa: first + distance, level, contiguous, entrySize, count };
    return [...split(start, first, depth + 1), run, ...split(last, end, depth + 1)];
  };
  return split(range.va, range.va + range.size, 0);
}

/** Table pages that runs in rising order take, the root included: in all, and by level of the table. */
export function countTables(
  regime: TranslationRegime,
  runs: readonly LeafRun[],
): { total: number; byLevel: ReadonlyMap<number, number> } {
  const byLevel = new Map<number, number>([[regime.startLevel, 1]]);
  for (let level = regime.startLevel + 1; level <= 3; level++) {
    const span = levelSize(regime, level - 1);
    let count = 0;
    let next = Number.NEGATIVE_INFINITY;
    for (const run of runs) {
      if (run.level < level) continue;
      const first = Math.max(Math.floor(run.va / span), next);
      const end = Math.ceil((run.va + run.entrySize * run.count) / span);
      count += Math.max(0, end - first);
      next = Math.max(next, end);
    }
    byLevel.set(level, count);
  }
  return { total: [...byLevel.values()].reduce((sum, count) => sum + count, 0), byLevel };
}
