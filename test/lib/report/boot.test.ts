import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatVa } from '../../../lib/address.js';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { place } from '../../../lib/kaslr/place.js';
import { bootOf, placedBoot } from '../../../lib/report/boot.js';

const u64 = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
const machine = (key: string) => ({
  era: eraByKey(key),
  geometry: geometryOf({ pageSize: 4096, vaBits: 48 }),
  imageSize: 0x2010000,
  etext: 0xd00000,
});

const drawn = (key: string, seed: bigint, moduleSeed: bigint) =>
  placedBoot(place(machine(key), { seed }), { seed, moduleSeed });

describe('bootOf', () => {
  it.each(['5.4', '6.0', '6.9'])('draws the first region from its window in era %s', (key) => {
    fc.assert(
      fc.property(u64, u64, (seed, moduleSeed) => {
        const { windows, regions } = bootOf(drawn(key, seed, moduleSeed));
        const [window, region] = [windows[0]!, regions[0]!];
        expect(BigInt(region.base)).toBeGreaterThanOrEqual(BigInt(window.lowest));
        expect(BigInt(region.end)).toBeLessThanOrEqual(BigInt(window.end));
      }),
    );
  });

  it('takes the region from the seed of the image where the era does, and then names no other', () => {
    fc.assert(
      fc.property(u64, u64, (seed, moduleSeed) => {
        const boot = drawn('5.4', seed, moduleSeed);
        expect(bootOf(boot).moduleSeed).toBeUndefined();
        const { modules } = boot.placement;
        expect(bootOf(boot).regions[0]!.base).toBe('base' in modules && formatVa(modules.base));
      }),
    );
  });

  it('takes it from a random number of its own where the era does', () => {
    const [a, b] = [bootOf(drawn('6.0', 5n, 1n)), bootOf(drawn('6.0', 5n, 0x12345n))];
    expect([a.moduleSeed, b.moduleSeed]).toEqual(['0x0000000000000001', '0x0000000000012345']);
    expect(a.regions[0]).not.toEqual(b.regions[0]);
    expect(a.text).toBe(b.text);
  });

  it('names the random number that replaces the seed of the image', () => {
    const placement = place(machine('5.4'), { seed: 5n });
    expect(bootOf({ placement, random: 7n }).moduleSeed).toBe('0x0000000000000007');
  });
});
