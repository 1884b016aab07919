import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evenSpread, scaledHistogram, scaledSpread, spreadHistogram } from '../../../lib/entropy/base-spread.js';
import { sumHistogram } from '../../../lib/entropy/base-sum.js';
import { shannonBits } from '../../../lib/entropy/histogram.js';
import { type ScaledSlots, slotHistogram } from '../../../lib/entropy/image-slot.js';
import { baseAt } from '../../../lib/kaslr/module-region.js';
import { countsOfCounts, entropyOfCounts, rowsOf, tally } from '../../support/entropy.js';

describe('scaledSpread', () => {
  const small = fc.record({
    start: fc.integer({ min: -500, max: 500 }),
    range: fc.integer({ min: 0, max: 3000 }),
    pageSize: fc.constantFrom(1, 4, 16, 64),
    randomBits: fc.integer({ min: 0, max: 9 }),
  });

  it('counts the values that lead to each page', () => {
    fc.assert(
      fc.property(small, (base) => {
        const { start, range, pageSize, randomBits } = base;
        const pages = Array.from({ length: 2 ** randomBits }, (_, r) =>
          Math.floor((start + Math.floor((range * r) / 2 ** randomBits)) / pageSize),
        );
        const expected = tally(pages);
        const first = Math.floor(start / pageSize);
        const spread = scaledSpread(base);
        expect([...spread.pages]).toEqual(
          Array.from({ length: pages.at(-1)! - first + 1 }, (_, i) => expected.get(first + i) ?? 0),
        );
        expect(rowsOf(spreadHistogram(spread))).toEqual(countsOfCounts(pages));
        expect(rowsOf(scaledHistogram(base))).toEqual(countsOfCounts(pages));
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with the base that places modules over all of vmalloc, for each of its 2^21 values', () => {
    const rule = { start: -(2 ** 48), range: 2 ** 34 - 3 * 65536, kind: 'plt' as const };
    const pages = function* () {
      for (let r = 0n; r < 2n ** 21n; r++) yield baseAt(rule, r, 16384);
    };
    expect(rowsOf(scaledHistogram({ ...rule, pageSize: 16384, randomBits: 21 }))).toEqual(countsOfCounts(pages()));
  });
});

/** Page of every module base: each slot as often as its weight, each distance as often as it is drawn. */
function bases(slots: readonly number[], distances: readonly number[], pagesPerSlot: number): number[] {
  return slots.flatMap((slot) => distances.map((distance) => slot * pagesPerSlot + distance));
}

const repeat = (counts: Iterable<number>): number[] =>
  [...counts].flatMap((count, value) => new Array<number>(count).fill(value));

describe('sumHistogram', () => {
  it('counts the bases of periodic slots and any spread', () => {
    const given = fc.record({
      weights: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
      periods: fc.integer({ min: 1, max: 6 }),
      pages: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }),
      pagesPerSlot: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(given, ({ weights, periods, pages, pagesPerSlot }) => {
        const count = weights.length * periods;
        const slots = repeat(Array.from({ length: count }, (_, slot) => weights[slot % weights.length]!));
        const sum = sumHistogram(
          { kind: 'periodic', weights, count },
          { pages: Uint32Array.from(pages) },
          pagesPerSlot,
        );
        expect(rowsOf(sum)).toEqual(countsOfCounts(bases(slots, repeat(pages), pagesPerSlot)));
      }),
      { numRuns: 500 },
    );
  });

  const scaled = fc.record({
    slots: fc
      .record({
        seedBits: fc.integer({ min: 5, max: 9 }),
        start: fc.integer({ min: 0, max: 30 }),
        range: fc.integer({ min: 1, max: 40 }),
        slotSize: fc.integer({ min: 1, max: 6 }),
      })
      .map((slots): ScaledSlots => ({ kind: 'scaled', ...slots })),
    drawn: fc.integer({ min: 1, max: 40 }),
    pagesPerSlot: fc.integer({ min: 1, max: 6 }),
  });
  const slotsOf = ({ seedBits, start, range, slotSize }: ScaledSlots): number[] =>
    Array.from({ length: 2 ** seedBits }, (_, seed) =>
      Math.floor((start + Math.floor((range * seed) / 2 ** seedBits)) / slotSize),
    );
  const distancesOf = (drawn: number): number[] => Array.from({ length: drawn }, (_, page) => page);

  it('counts the bases of scaled slots and an even spread', () => {
    fc.assert(
      fc.property(scaled, ({ slots, drawn, pagesPerSlot }) => {
        const sum = sumHistogram(slots, evenSpread(drawn), pagesPerSlot);
        expect(rowsOf(sum)).toEqual(countsOfCounts(bases(slotsOf(slots), distancesOf(drawn), pagesPerSlot)));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves of the image, given the base, what counting every seed and draw leaves', () => {
    fc.assert(
      fc.property(scaled, ({ slots, drawn, pagesPerSlot }) => {
        const joint = slotsOf(slots).flatMap((slot) =>
          distancesOf(drawn).map((page) => [slot, slot * pagesPerSlot + page] as const),
        );
        const both = entropyOfCounts(tally(joint.map(([slot, base]) => `${slot} ${base}`)).values());
        const left = both - entropyOfCounts(tally(joint.map(([, base]) => base)).values());
        const spread = evenSpread(drawn);
        const sum = sumHistogram(slots, spread, pagesPerSlot);
        const bits = shannonBits(slotHistogram(slots)) + shannonBits(spreadHistogram(spread)) - shannonBits(sum);
        expect(bits).toBeCloseTo(left, 9);
      }),
      { numRuns: 200 },
    );
  });
});
