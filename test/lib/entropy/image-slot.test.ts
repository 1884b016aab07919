import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countCases, countOutcomes, shannonBits } from '../../../lib/entropy/histogram.js';
import {
  imageSlots,
  mostInRun,
  runHistogram,
  type ScaledSlots,
  slotHistogram,
} from '../../../lib/entropy/image-slot.js';
import { ERAS, type Era, eraByKey } from '../../../lib/kaslr/era.js';
import { imageOffset, type OffsetInput } from '../../../lib/kaslr/image-offset.js';
import { geometryOf, IMAGE_ALIGN, vaLayout } from '../../../lib/kaslr/layout.js';
import { countsOfCounts, rowsOf } from '../../support/entropy.js';

function inputOf(
  era: Era,
  kernel: { pageSize: number; vaBits: number },
  given: Partial<OffsetInput> = {},
  cpu?: number,
): OffsetInput {
  const geometry = geometryOf(kernel, cpu);
  const layout = vaLayout(era, geometry);
  return {
    era,
    geometry,
    layout,
    linkBase: layout.kimageVaddr,
    imageSize: 0x2500000,
    displacement: 0,
    kasan: false,
    ...given,
  };
}

describe('slots of masked seeds', () => {
  const masked = ERAS.filter(({ imageRule }) => imageRule !== 'scaled-range');
  // 8,192 slots with boundaries every 16, and 65,536 with boundaries every 512.
  const cases = masked.flatMap((era) => [
    ...[0x10000, 0x1230000, 0x2500000, 0x4100000].map((imageSize) => ({ era, pageSize: 16384, vaBits: 36, imageSize })),
    { era, pageSize: 4096, vaBits: 39, imageSize: 0x2500000 },
  ]);

  it.each(cases)(
    'are those that all values lead to: era $era.key, $vaBits VA bits, $imageSize bytes',
    ({ era, imageSize, ...kernel }) => {
      for (const given of [{ imageSize }, { imageSize, displacement: 0x90000 }, { imageSize, kasan: true }]) {
        const input = inputOf(era, kernel, given);
        const values = 2 ** (kernel.vaBits - 2) / IMAGE_ALIGN;
        const offsets = Array.from({ length: values }, (_, i) => imageOffset(BigInt(i * IMAGE_ALIGN) | 1n, input));
        const expected = countsOfCounts(offsets);
        const slots = imageSlots(input);
        // KASAN cuts the offset to 2 GiB, so that several values lead to each slot alike.
        const alike = slots.kind === 'periodic' ? values / slots.count : 0;
        expect(
          new Map([...rowsOf(slotHistogram(slots))].map(([cases, outcomes]) => [cases * alike, outcomes])),
        ).toEqual(expected);
      }
    },
  );

  it('are 2^25 with 48 VA bits and 2^16 with 39', () => {
    for (const [vaBits, bits] of [
      [48, 25],
      [39, 16],
    ] as const) {
      const histogram = slotHistogram(imageSlots(inputOf(eraByKey('6.0'), { pageSize: 4096, vaBits })));
      expect(countOutcomes(histogram)).toBe(2n ** BigInt(bits));
      expect(shannonBits(histogram)).toBe(bits);
    }
  });
});

/** Small enough for every seed to be tried. */
const small = fc
  .record({
    seedBits: fc.integer({ min: 6, max: 12 }),
    start: fc.integer({ min: 0, max: 100 }),
    range: fc.integer({ min: 1, max: 64 }),
    slotSize: fc.integer({ min: 1, max: 9 }),
  })
  .map((slots): ScaledSlots => ({ kind: 'scaled', ...slots }));

const slotsOfAllSeeds = ({ seedBits, start, range, slotSize }: ScaledSlots): number[] =>
  Array.from({ length: 2 ** seedBits }, (_, seed) =>
    Math.floor((start + Math.floor((range * seed) / 2 ** seedBits)) / slotSize),
  );

describe('slots of scaled seeds', () => {
  it('are reached from as many seeds as lead to them', () => {
    fc.assert(
      fc.property(small, (slots) => {
        expect(rowsOf(slotHistogram(slots))).toEqual(countsOfCounts(slotsOfAllSeeds(slots)));
      }),
      { numRuns: 500 },
    );
  });

  it('make up runs that are reached from as many seeds as lead into them', () => {
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 20 }), (slots, length) => {
        // A seed leads into every run that ends at its slot or up to length - 1 slots later.
        const runs = slotsOfAllSeeds(slots).flatMap((slot) => Array.from({ length }, (_, i) => slot + i));
        expect(rowsOf(runHistogram(slots, length))).toEqual(countsOfCounts(runs));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['6.9', 4096, 48, undefined, 24.98],
    ['6.9', 4096, 52, undefined, 24.98],
    ['6.9', 4096, 52, 52, 24.04],
    ['6.16', 4096, 39, undefined, 15.96],
  ])('leave in era %s, pages of %d, %d VA bits, on a CPU with %s: %d bits', (key, pageSize, vaBits, cpu, bits) => {
    const slots = imageSlots(inputOf(eraByKey(key), { pageSize, vaBits }, {}, cpu));
    const histogram = slotHistogram(slots);
    expect(countCases(histogram)).toBe(2n ** 64n);
    expect(shannonBits(histogram)).toBeCloseTo(bits, 2);
    expect(runHistogram(slots as ScaledSlots, 1)).toEqual(histogram);
  });
});

describe('mostInRun', () => {
  it('counts the slots in use of the fullest run', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(
        weights,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        (weights, periods, length) => {
          const count = weights.length * periods;
          const used = Array.from({ length: count }, (_, slot) => (weights[slot % weights.length]! > 0 ? 1 : 0));
          const runs = used.map((_, from) => used.slice(from, from + length).reduce<number>((a, b) => a + b, 0));
          expect(mostInRun({ kind: 'periodic', weights, count }, length)).toBe(Math.max(...runs));
        },
      ),
    );
  });

  it('never counts more slots than seeds lead to', () => {
    const slots: ScaledSlots = { kind: 'scaled', seedBits: 8, start: 3, range: 20, slotSize: 4 };
    expect(mostInRun(slots, 3)).toBe(3);
    expect(mostInRun(slots, 100)).toBe(new Set(slotsOfAllSeeds(slots)).size);
  });
});
