import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { chooseRegions } from '../../../lib/kaslr/module-region.js';
import { place } from '../../../lib/kaslr/place.js';
import { drawnBoot } from '../../../lib/report/boot.js';

const u64 = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
const machine = (key: string) => ({
  era: eraByKey(key),
  geometry: geometryOf({ pageSize: 4096, vaBits: 48 }),
  imageSize: 0x2010000,
  etext: 0xd00000,
});

describe('drawnBoot', () => {
  it.each(['5.4', '6.0', '6.9'])('draws the first region from its window in era %s', (key) => {
    fc.assert(
      fc.property(u64, u64, (seed, moduleSeed) => {
        const { windows, regions } = drawnBoot(place(machine(key), { seed }), moduleSeed);
        const [window, region] = [windows[0]!, regions[0]!];
        expect(BigInt(region.base)).toBeGreaterThanOrEqual(BigInt(window.lowest));
        expect(BigInt(region.end)).toBeLessThanOrEqual(BigInt(window.end));
      }),
    );
  });

  it('takes the region from the seed of the image where the era does, and then names no other', () => {
    fc.assert(
      fc.property(u64, u64, (seed, moduleSeed) => {
        const placement = place(machine('5.4'), { seed });
        const boot = drawnBoot(placement, moduleSeed);
        expect(boot.moduleSeed).toBeUndefined();
        expect(BigInt(boot.regions[0]!.base)).toBe(
          BigInt.asUintN(64, BigInt(chooseRegions(placement.region, seed)[0]!.base)),
        );
      }),
    );
  });

  it('takes it from a random number of its own where the era does', () => {
    const placement = place(machine('6.0'), { seed: 5n });
    const [a, b] = [drawnBoot(placement, 1n), drawnBoot(placement, 0x12345n)];
    expect([a.moduleSeed, b.moduleSeed]).toEqual(['0x0000000000000001', '0x0000000000012345']);
    expect(a.regions[0]).not.toEqual(b.regions[0]);
    expect(a.text).toBe(b.text);
  });
});
