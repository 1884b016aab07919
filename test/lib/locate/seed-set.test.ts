import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ERAS, type Era, eraByKey } from '../../../lib/kaslr/era.js';
import { boundarySize, imageOffset, type OffsetInput } from '../../../lib/kaslr/image-offset.js';
import { type Geometry, geometryOf, IMAGE_ALIGN, vaLayout } from '../../../lib/kaslr/layout.js';
import { containsSeed, offsetRange, type SeedSet, seedsOf, summarizeSeeds } from '../../../lib/locate/seed-set.js';

const GEOMETRIES = [
  geometryOf({ pageSize: 4096, vaBits: 39 }),
  geometryOf({ pageSize: 4096, vaBits: 48 }),
  geometryOf({ pageSize: 4096, vaBits: 52 }),
  geometryOf({ pageSize: 4096, vaBits: 52 }, 52),
  geometryOf({ pageSize: 16384, vaBits: 36 }),
  geometryOf({ pageSize: 16384, vaBits: 47 }),
  geometryOf({ pageSize: 16384, vaBits: 52 }, 52),
  geometryOf({ pageSize: 65536, vaBits: 42 }),
  geometryOf({ pageSize: 65536, vaBits: 52 }, 52),
];

/** Eras before 5.4 had no more than 48 bits. */
const MACHINES = ERAS.flatMap((era) =>
  GEOMETRIES.filter(({ vaBits }) => vaBits <= 48 || era.layoutRule !== 'low-half').map((geometry) => ({
    era,
    geometry,
  })),
);

function inputOf(
  machine: { era: Era; geometry: Geometry },
  { imageSize = 0x2500000, displacement = 0, kasan = false }: Partial<OffsetInput> = {},
): OffsetInput {
  const layout = vaLayout(machine.era, machine.geometry);
  return { ...machine, layout, linkBase: layout.kimageVaddr, imageSize, displacement, kasan };
}

const machines = fc.constantFrom(...MACHINES);
const seeds = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const circumstances = fc.record({
  imageSize: fc.integer({ min: 1, max: 3000 }).map((pages) => pages * 65536),
  displacement: fc.integer({ min: 0, max: 31 }).map((step) => step * 65536),
  kasan: fc.boolean(),
});

describe('seedsOf', () => {
  it('holds every seed that leads to an offset, and none that leads elsewhere', () => {
    fc.assert(
      fc.property(machines, circumstances, seeds, seeds, (machine, given, seed, other) => {
        const input = inputOf(machine, given);
        const offset = imageOffset(seed, input);
        const set = seedsOf(offset, input)!;
        expect(containsSeed(set, seed)).toBe(true);
        expect(containsSeed(set, other)).toBe(imageOffset(other, input) === offset);
      }),
      { numRuns: 2000 },
    );
  });

  it('names as lowest, highest and example seeds that lead there', () => {
    fc.assert(
      fc.property(machines, circumstances, seeds, (machine, given, seed) => {
        const input = inputOf(machine, given);
        const offset = imageOffset(seed, input);
        const { lowest, highest, example } = summarizeSeeds(seedsOf(offset, input)!);
        for (const named of [lowest, highest, example]) expect(imageOffset(named, input)).toBe(offset);
        expect(lowest <= seed && seed <= highest).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('ends an interval where the next slot begins', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MACHINES.filter(({ era }) => era.imageRule === 'scaled-range')),
        seeds,
        (machine, seed) => {
          const input = inputOf(machine);
          const offset = imageOffset(seed, input);
          const { lowest, highest, count } = summarizeSeeds(seedsOf(offset, input)!);
          if (lowest > 1n) expect(imageOffset(lowest - 1n, input)).toBe(offset - IMAGE_ALIGN);
          if (highest < 2n ** 64n - 1n) expect(imageOffset(highest + 1n, input)).toBe(offset + IMAGE_ALIGN);
          expect(count).toBe(highest - lowest + 1n);
        },
      ),
    );
  });

  it.each(['4.6', '4.12'])('finds every seed of every slot where %s moves images off boundaries', (key) => {
    // 16K pages with 36 VA bits: 8,192 slots, boundaries at 32 MiB; 20 MiB straddle one from 10 slots in 16.
    const input = inputOf(
      { era: eraByKey(key), geometry: geometryOf({ pageSize: 16384, vaBits: 36 }) },
      { imageSize: 20 * 2 ** 20 },
    );
    const { start, end } = offsetRange(input);
    const reached = new Map<number, bigint[]>();
    for (let value = start; value < end; value += IMAGE_ALIGN) {
      const offset = imageOffset(BigInt(value) | 1n, input);
      reached.set(offset, [...(reached.get(offset) ?? []), BigInt(value)]);
    }
    const sizes = new Set<number>();
    for (let offset = start; offset < end; offset += IMAGE_ALIGN) {
      const set = seedsOf(offset, input);
      const values = set?.kind === 'masked' ? [...set.values].sort((a, b) => Number(a - b)) : [];
      expect(values).toEqual(reached.get(offset) ?? []);
      sizes.add(values.length);
    }
    // Some slots are never used, some are reached from several values.
    expect(sizes.has(0)).toBe(true);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    expect(boundarySize(16384)).toBe(32 * 2 ** 20);
  });

  it('knows no seed for an offset between slots or outside the range', () => {
    for (const machine of MACHINES) {
      const input = inputOf(machine);
      const { start, end } = offsetRange(input);
      const middle = start + Math.floor((end - start) / 2 ** 22) * IMAGE_ALIGN;
      expect(seedsOf(middle + 65536, input)).toBeUndefined();
      expect(seedsOf(start - IMAGE_ALIGN, input)).toBeUndefined();
      expect(seedsOf(end, input)).toBeUndefined();
    }
  });

  it('reaches both ends of the range by some seed where no image is moved', () => {
    for (const machine of MACHINES.filter(({ era }) => era.crossingRule === 'ignore')) {
      const input = inputOf(machine);
      const { start, end } = offsetRange(input);
      expect(seedsOf(start, input)).toBeDefined();
      expect(seedsOf(end - IMAGE_ALIGN, input)).toBeDefined();
    }
  });
});

describe('summarizeSeeds', () => {
  const bitCount = (x: bigint): number => x.toString(2).replaceAll('0', '').length;

  it('fixes 25 bits of a masked seed with 48 VA bits, and leaves 2^39 seeds', () => {
    const input = inputOf({ era: eraByKey('6.0'), geometry: geometryOf({ pageSize: 4096, vaBits: 48 }) });
    const { fixedBits, freeBits, count } = summarizeSeeds(seedsOf(0x495d77c00000, input)!);
    expect(fixedBits).toBe(0x00003fffffe00000n);
    expect(fixedBits ^ freeBits).toBe(2n ** 64n - 1n);
    expect(count).toBe(2n ** 39n);
  });

  it('does not count the seed 0, which switches KASLR off', () => {
    const input = inputOf({ era: eraByKey('6.0'), geometry: geometryOf({ pageSize: 4096, vaBits: 48 }) });
    const set = seedsOf(2 ** 45, input)!;
    const { count, lowest, example } = summarizeSeeds(set);
    expect(containsSeed(set, 0n)).toBe(false);
    expect([count, lowest, example]).toEqual([2n ** 39n - 1n, 1n, 1n]);
  });

  it('fixes only the bits that all values of a moved image share', () => {
    const set: SeedSet = { kind: 'masked', mask: 0b111100n, values: [0b010100n, 0b011100n, 0b010000n] };
    const { fixedBits, count, lowest, highest, example } = summarizeSeeds(set);
    expect(fixedBits).toBe(0b110000n);
    expect(count).toBe(3n << 60n);
    expect(lowest).toBe(0b010000n);
    expect(highest & 0b111100n).toBe(0b011100n);
    expect(example & fixedBits).toBe(0b010000n);
  });

  it('fixes the leading bits that all seeds of an interval share, and no more', () => {
    fc.assert(
      fc.property(seeds, fc.bigInt({ min: 0n, max: 2n ** 41n }), (lowest, length) => {
        const highest = lowest + length > 2n ** 64n - 1n ? 2n ** 64n - 1n : lowest + length;
        const { fixedBits, freeBits } = summarizeSeeds({ kind: 'interval', lowest, highest });
        expect(lowest & fixedBits).toBe(highest & fixedBits);
        expect(fixedBits ^ freeBits).toBe(2n ** 64n - 1n);
        const top = 1n << BigInt(Math.max(0, bitCount(freeBits) - 1));
        if (lowest !== highest) expect(lowest & top).not.toBe(highest & top);
      }),
    );
  });
});
