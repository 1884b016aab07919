/** Random regimes and mappings for the properties of test/lib/mmu. */
import fc from 'fast-check';
import { type Va, va } from '../../../lib/address.js';
import { DESCRIPTOR } from '../../../lib/mmu/descriptor.js';
import type { Granularity } from '../../../lib/mmu/leaf-run.js';
import type { EntryAttributes } from '../../../lib/mmu/population.js';
import {
  levelSize,
  outputBits,
  type TranslationRegime,
  translationRegime,
} from '../../../lib/mmu/translation-regime.js';

export const regimes: fc.Arbitrary<TranslationRegime> = fc
  .record({
    pageSize: fc.constantFrom(4096, 16384, 65536),
    vaBits: fc.integer({ min: 36, max: 52 }),
    wide: fc.boolean(),
  })
  .map(({ pageSize, vaBits, wide }) => {
    const widest = pageSize === 65536 ? '52-bit' : 'lpa2';
    const needed = vaBits > 48 && pageSize !== 65536;
    return translationRegime({ pageSize, vaBits, format: wide || needed ? widest : '48-bit' });
  });

/** Blocks of level 2, and of level 1 where pages are 4K; contiguous groups of any subset. */
export function granularities(regime: TranslationRegime): fc.Arbitrary<Granularity & { roundTo: number }> {
  return fc.record({
    blocks: fc.subarray(regime.pageSize === 4096 ? [1, 2] : [2]),
    contiguous: fc.subarray([2, 3]),
    roundTo: fc.constant(regime.pageSize),
  });
}

const KINDS = [
  DESCRIPTOR.RDONLY,
  DESCRIPTOR.DBM | DESCRIPTOR.PXN,
  DESCRIPTOR.RDONLY | DESCRIPTOR.PXN | DESCRIPTOR.NG,
  DESCRIPTOR.RDONLY | DESCRIPTOR.GP | DESCRIPTOR.UXN,
];

export const entryAttributes: fc.Arbitrary<EntryAttributes> = fc
  .constantFrom(...KINDS)
  .map((leaf) => ({ leaf: leaf | DESCRIPTOR.AF, table: 0n }));

export interface RandomRange {
  readonly va: Va;
  readonly pa: number;
  readonly size: number;
}

/**
 * A range of whole pages. Its start lies near a boundary of a random level, so that blocks and contiguous groups
 * come up; VA and PA are congruent modulo a page, a block or nothing in particular.
 */
export function ranges(regime: TranslationRegime, pages = 1200): fc.Arbitrary<RandomRange> {
  const { pageSize } = regime;
  const space = 2 ** regime.vaBits;
  return fc
    .record({
      level: fc.integer({ min: Math.max(regime.startLevel, 1), max: 2 }),
      slot: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      lead: fc.integer({ min: 0, max: 600 }),
      size: fc.integer({ min: 1, max: pages }),
      blocks: fc.integer({ min: 0, max: 2 }),
      output: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      congruence: fc.constantFrom(0, 2 ** 16, 2 ** 21, 2 ** 25, 2 ** 30),
    })
    .map(({ level, slot, lead, size, blocks, output, congruence }) => {
      const block = levelSize(regime, level);
      const length = size * pageSize + blocks * levelSize(regime, 2);
      const boundary = Math.floor((slot * space) / block) * block;
      const start = Math.max(0, Math.min(boundary - lead * pageSize, space - length)) - space;
      const step = Math.max(congruence, pageSize);
      const limit = 2 ** outputBits(regime) - length - step;
      const pa = Math.floor((output * limit) / step) * step;
      const skew = congruence === 0 ? 0 : ((start % step) + step) % step;
      return { va: va(start), pa: pa + skew, size: length };
    });
}

/**
 * Up to so many ranges that share no page, in no order. Those that overlap one before are dropped, not refused: in a
 * small space most draws overlap.
 */
export function disjointRanges(
  regime: TranslationRegime,
  { count, pages }: { count: number; pages: number },
): fc.Arbitrary<RandomRange[]> {
  return fc.array(ranges(regime, pages), { minLength: count, maxLength: count }).map((drawn) => {
    const kept: RandomRange[] = [];
    for (const range of drawn) {
      const isApart = kept.every((one) => one.va + one.size <= range.va || range.va + range.size <= one.va);
      if (isApart) kept.push(range);
    }
    return kept;
  });
}
