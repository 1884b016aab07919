import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { type EraKey, eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { type Machine, place } from '../../../lib/kaslr/place.js';
import { locate } from '../../../lib/locate/locate.js';
import { machineOfRecord, possibleGeometries } from '../../../lib/locate/record-machine.js';
import { containsSeed, summarizeSeeds } from '../../../lib/locate/seed-set.js';

interface Group {
  readonly vaBits?: number;
  readonly from?: string;
  readonly offsets: readonly string[];
  readonly lpa2?: boolean;
  readonly noSeed?: boolean;
}

/** Offsets that real panics printed, and where they counted from. */
const { groups } = JSON.parse(readFileSync(new URL('./field-offsets.json', import.meta.url), 'utf8')) as {
  groups: readonly Group[];
};

/** The eras that link a kernel at an address. */
const ERAS_OF: Readonly<Record<string, readonly EraKey[]>> = {
  '0xffff800010000000': ['5.4'],
  '0xffff800008000000': ['6.0'],
  '0xffff800080000000': ['6.5', '6.9', '6.16'],
  '0xffffffc010000000': ['5.4'],
  '0xffffffc008000000': ['6.0'],
  '0xffffffc080000000': ['6.5', '6.9', '6.16'],
};

function locateOffset(key: EraKey, offset: string, from: string) {
  const record = { offset: BigInt(offset), kimageVaddr: va(Number(BigInt.asIntN(64, BigInt(from)))), offsets: 1 };
  const { machine, geometries } = machineOfRecord(record, { era: eraByKey(key) });
  const text = va(machine.linkBase! + Number(record.offset));
  return { machine, text, location: locate(machine, text, geometries) };
}

const seen = groups.flatMap(({ from, offsets, vaBits, lpa2 = false }) =>
  from === undefined
    ? []
    : ERAS_OF[from]!.flatMap((key) => offsets.map((offset) => ({ key, offset, from, vaBits: vaBits!, lpa2 }))),
);

describe('locate, on offsets of real panics', () => {
  it.each(seen.filter(({ lpa2 }) => !lpa2))(
    'finds seeds for $offset from $from in era $key',
    ({ key, offset, from, vaBits }) => {
      const { machine, text, location } = locateOffset(key, offset, from);
      expect(location.contradictions).toEqual([]);
      const [{ geometry, seeds }] = location.fits as [(typeof location.fits)[0]];
      expect(geometry.vaBitsActual).toBe(vaBits);
      const { example } = summarizeSeeds(seeds);
      expect(place({ ...machine, geometry, phys: BigInt(text) }, { seed: example }).text).toBe(text);
    },
  );

  it.each(seen.filter(({ lpa2, key }) => lpa2 && key !== '6.5'))(
    'takes $offset in era $key for a CPU with LPA2',
    ({ key, offset, from }) => {
      const { location } = locateOffset(key, offset, from);
      expect(location.contradictions).toEqual([]);
      expect(location.vaBits).toBe(52);
      expect(location.fits.map(({ geometry }) => geometry.vaBitsActual)).toEqual([52]);
    },
  );

  it('finds them outside of an era that did not know LPA2', () => {
    const { location } = locateOffset('6.5', '0x17f251000000', '0xffff800080000000');
    expect(location.fits).toEqual([]);
    expect(location.contradictions).toEqual([
      'offset 0x17f251000000 lies outside [0x200000000000, 0x600000000000) of era 6.5, 48 VA bits, a CPU with 48',
    ]);
  });

  it.each(groups.find(({ noSeed }) => noSeed)!.offsets)('takes %s for a boot without a seed', (offset) => {
    const { location } = locateOffset('6.0', offset, '0xffff800008000000');
    expect(location).toMatchObject({ kaslr: false, fits: [], contradictions: [] });
  });
});

const MACHINES: readonly Machine[] = (['4.6', '4.12', '4.17', '5.4', '6.0', '6.5', '6.9', '6.16'] as const).flatMap(
  (key) =>
    [
      { pageSize: 4096, vaBits: 39 },
      { pageSize: 4096, vaBits: 48 },
      { pageSize: 16384, vaBits: 47 },
      { pageSize: 65536, vaBits: 42 },
    ].map((kernel) => ({ era: eraByKey(key), geometry: geometryOf(kernel), imageSize: 0x2500000 })),
);

describe('locate', () => {
  it('undoes place: the seed is among those found, and their example lands on the same address', () => {
    const seed = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
    const phys = fc.bigInt({ min: 0n, max: 2n ** 32n }).map((page) => page * 65536n);
    fc.assert(
      fc.property(fc.constantFrom(...MACHINES), seed, phys, (known, seed, phys) => {
        const machine = { ...known, phys };
        const { text, offset } = place(machine, { seed });
        const location = locate(machine, text);
        expect(location).toMatchObject({ text, offset, contradictions: [] });
        // The first eras begin where the image is linked: slot 0 cannot be told from no KASLR.
        if (!location.kaslr) return expect(offset).toBeLessThan(2 ** 21);
        const { seeds } = location.fits[0]!;
        expect(containsSeed(seeds, seed)).toBe(true);
        expect(place(machine, { seed: summarizeSeeds(seeds).example }).text).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives each CPU its own seeds where the address space follows the CPU', () => {
    const kernel = { pageSize: 4096, vaBits: 52 };
    const machine = { era: eraByKey('6.9'), geometry: geometryOf(kernel), imageSize: 0x2500000 };
    // Debian 6.12 with the seed 0xfedcba9876543210, booted on a Cortex-A57 and on QEMU's max.
    const small = locate(machine, va(Number(0xffffde3841e00000n - 2n ** 64n)), possibleGeometries(kernel));
    const large = locate(machine, va(Number(0xffffb15a64000000n - 2n ** 64n)), possibleGeometries(kernel));
    expect(small.fits.map(({ geometry }) => geometry.vaBitsActual)).toEqual([48]);
    expect(large.fits.map(({ geometry }) => geometry.vaBitsActual)).toEqual([48, 52]);
    const seed = 0xfedcba9876543210n;
    expect(containsSeed(small.fits[0]!.seeds, seed)).toBe(true);
    expect(large.fits.map(({ seeds }) => containsSeed(seeds, seed))).toEqual([false, true]);
  });

  const machine = { era: eraByKey('6.0'), geometry: geometryOf({ pageSize: 4096, vaBits: 48 }), imageSize: 0x2500000 };
  const text = place(machine, { seed: 0xfedcba9876543210n }).text;

  it('says that a load address does not go with an address of _text', () => {
    expect(locate({ ...machine, phys: 0x40200000n }, text).contradictions).toEqual([]);
    const { contradictions, fits } = locate({ ...machine, phys: 0x40210000n }, text);
    expect(contradictions).toHaveLength(1);
    expect(contradictions[0]).toContain('0x0000000040210000');
    expect(fits).toEqual([]);
  });

  it('says that _text is not page aligned', () => {
    expect(locate(machine, va(text + 4096)).contradictions).toEqual([]);
    expect(locate(machine, va(text + 4095)).contradictions).toHaveLength(1);
  });

  it('says that an address lies below the link address', () => {
    const { contradictions, kaslr } = locate(machine, va(-(2 ** 47)));
    expect(kaslr).toBe(true);
    expect(contradictions[0]).toContain('offset -0x8000000 lies outside');
  });

  it('says that no seed leads to a slot that straddles a boundary', () => {
    const old = { ...machine, era: eraByKey('4.12'), imageSize: 64 * 2 ** 20 };
    // Linked 128 MiB above a boundary of 1 GiB, so 64 MiB from offset 848 MiB on cross the next.
    const straddling = locate(old, va(-(2 ** 48) + 128 * 2 ** 20 + 848 * 2 ** 20));
    expect(straddling.contradictions).toEqual([
      'no seed leads to offset 0x35000000 (era 4.12, 48 VA bits, a CPU with 48): the image is moved off the boundary it would straddle',
    ]);
    const before = locate(old, va(-(2 ** 48) + 128 * 2 ** 20 + 830 * 2 ** 20));
    expect(before.contradictions).toEqual([]);
  });
});
