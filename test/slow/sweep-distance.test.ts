/** Weights of distances against the placement code itself: every random value where there are 2^21, else many seeds. */
import { describe, expect, it } from '@jest/globals';
import { type EraKey, eraByKey } from '../../lib/kaslr/era.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { baseAt, baseRule, chooseRegions } from '../../lib/kaslr/module-region.js';
import { type Machine, place } from '../../lib/kaslr/place.js';
import { moduleDistances, totalWeight, weightBelow } from '../../lib/sweep/distance-distribution.js';
import { codeOf } from '../support/thrown.js';

function machineOf(era: EraKey, pageSize: number, vaBits: number, rest: Partial<Machine> = {}): Machine {
  const geometry = geometryOf({ pageSize, vaBits });
  return { era: eraByKey(era), geometry, imageSize: 0x1f3_4000, stext: 0x10000, etext: 0xe0_0000, ...rest };
}

const DRAWS = 2 ** 21;

describe('one base of 21 random bits', () => {
  it.each([
    ['6.0', 4096, 48, {}],
    ['6.0', 65536, 48, {}],
    ['4.17', 4096, 39, {}],
    ['5.4', 16384, 47, { fullRegion: false }],
    ['4.6', 65536, 42, { fullRegion: false }],
  ] as const)(
    '%s with pages of %i and %i VA bits %j: as many values below as come before',
    (era, pageSize, vaBits, rest) => {
      const machine = machineOf(era, pageSize, vaBits, rest);
      const distances = moduleDistances(machine);
      const { region, text } = place(machine, { seed: 1n << 42n });
      const rule = baseRule(region);
      expect(totalWeight(distances)).toBe(DRAWS);
      let met = 0;
      for (let random = 0; random < DRAWS; random += 997) {
        const distance = baseAt(rule, BigInt(random), pageSize) - text;
        if (distance <= distances.lowest) continue;
        met++;
        // Bases ascend, so the value itself counts those before it.
        const isCounted =
          weightBelow(distances, distance) <= random && weightBelow(distances, distance + pageSize) > random;
        if (!isCounted) throw new Error(`value ${random} at ${distance}`);
      }
      expect(met).toBeGreaterThan(100);
    },
  );
});

describe('a box of whole pages', () => {
  it.each([
    [true, 2 ** 31],
    [false, 2 ** 27],
  ])('FULL %s: every position once, from the lowest to _text itself', (fullRegion, size) => {
    const machine = machineOf('6.9', 4096, 48, { fullRegion });
    const distances = moduleDistances(machine);
    expect(distances).toMatchObject({ size, highest: 0, placements: (size - machine.imageSize) / 4096 + 1 });
    const reached = new Set<number>();
    const { region, text } = place(machine, { seed: 5n });
    for (let i = 0; i < 3000; i++) reached.add(chooseRegions(region, BigInt(i) * 977n)[0]!.base - text);
    for (const distance of reached) {
      const clamped = Math.max(distance, distances.lowest);
      expect(weightBelow(distances, clamped + 4096) - weightBelow(distances, clamped)).toBeGreaterThan(0);
    }
    expect(weightBelow(distances, distances.lowest + 8192) - weightBelow(distances, distances.lowest + 4096)).toBe(1);
    expect(totalWeight(distances)).toBe(distances.placements);
  });
});

describe('an image that moves against the region', () => {
  /** A generator of 64-bit seeds; MINSTD's upper bits are random enough for shares. */
  function* seeds(count: number): Generator<bigint> {
    let state = 20_240_229;
    const next = (): bigint => {
      state = (state * 48_271) % 2_147_483_647;
      return BigInt(state >>> 7);
    };
    for (let i = 0; i < count; i++) yield BigInt.asUintN(64, (next() << 44n) ^ (next() << 22n) ^ next());
  }

  it.each([
    ['4.6', 4096, 39, {}],
    ['4.12', 16384, 36, {}],
    ['4.17', 4096, 39, { kasan: true }],
    ['5.4', 65536, 42, { kasan: true }],
  ] as const)('%s with pages of %i and %i VA bits %j: as 6,000 seeds have it', (era, pageSize, vaBits, rest) => {
    const machine = machineOf(era, pageSize, vaBits, rest);
    const distances = moduleDistances(machine);
    const total = totalWeight(distances);
    const limits = [-400e6, -128e6, -30e6, 0, 30e6, 128e6, 400e6].map(
      (limit) => Math.ceil(limit / pageSize) * pageSize,
    );
    const counts = limits.map(() => 0);
    const SEEDS = 6_000;
    for (const seed of seeds(SEEDS)) {
      const { region, text } = place(machine, { seed });
      const distance = chooseRegions(region, seed)[0]!.base - text;
      limits.forEach((limit, i) => {
        if (distance < limit) counts[i]!++;
      });
    }
    limits.forEach((limit, i) => {
      const share = weightBelow(distances, limit) / total;
      const deviation = Math.sqrt((share * (1 - share)) / SEEDS);
      expect(Math.abs(counts[i]! / SEEDS - share)).toBeLessThanOrEqual(5 * deviation + 1e-9);
    });
  });
});

describe('a fixed _text', () => {
  it('leaves the base alone to vary, and none without KASLR', () => {
    const machine = machineOf('6.0', 4096, 48);
    const { text } = place(machine, { seed: 77n << 21n });
    expect(moduleDistances(machine, text).sums).toEqual(moduleDistances(machine).sums);
    const { text: linked } = place(machine, { seed: 0n });
    expect(moduleDistances(machine, linked)).toMatchObject({ placements: 1 });
  });

  it('has to begin a page', () => {
    const machine = machineOf('6.0', 16384, 48);
    const { text } = place(machine, { seed: 77n << 21n });
    expect(codeOf(() => moduleDistances(machine, (text + 4096) as typeof text))).toBe('BAD_LAYOUT');
  });

  it('needs an image smaller than the region', () => {
    expect(codeOf(() => moduleDistances(machineOf('6.9', 4096, 48, { imageSize: 2 ** 31 })))).toBe('REGION_FULL');
  });
});
