import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { relocateImage } from '../../../lib/reloc/relative.js';
import { type RelocatableImage, relrPlaces } from '../../../lib/reloc/relative-place.js';
import { type BuiltImage, buildImage, RELATIVE } from '../../support/image-builder.js';
import {
  encodeRelr,
  type ReferenceRela,
  readU64,
  referenceRelr,
  referenceSelfRelocation,
} from '../../support/reference-self-relocation.js';
import { codeOf } from '../../support/thrown.js';

const BASE = 0xffff800008000000n;
const SIZE = 0x4000;
/** Tables stand in the last quarter, places before it. */
const RELA_AT = 0x3000;
const RELR_AT = 0x3800;
const PLACES_END = 0x3000;

const at = (offset: number): bigint => BASE + BigInt(offset);
const relative = (offset: number, addend = 0n): ReferenceRela => ({ place: at(offset), type: RELATIVE, addend });

function open(image: Omit<BuiltImage, 'base' | 'size'>): RelocatableImage {
  return {
    bytes: buildImage({ base: BASE, size: SIZE, ...image }),
    linkBase: Number(BigInt.asIntN(64, BASE)),
    tables: {
      rela: { offset: image.relas?.at ?? 0, count: image.relas?.records.length ?? 0 },
      relr: { offset: image.relr?.at ?? 0, words: image.relr?.words.length ?? 0, count: 0 },
    },
  };
}

const copyOf = (image: RelocatableImage): RelocatableImage => ({ ...image, bytes: Uint8Array.from(image.bytes) });

function relocated(image: RelocatableImage, ...deltas: number[]): Uint8Array {
  const copy = copyOf(image);
  for (const delta of deltas) relocateImage(copy, delta);
  return copy.bytes;
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Run address minus link address: up to half the address space either way, aligned or not. */
const delta = fc.oneof(
  fc.integer({ min: -(2 ** 26), max: 2 ** 26 }).map((blocks) => blocks * 2 ** 21),
  fc.maxSafeInteger().filter((x) => Math.abs(x) < 2 ** 51),
  fc.constantFrom(0, 1, -1, 2 ** 32, -(2 ** 32), 2 ** 32 - 1),
);

/** Offsets of places that do not overlap, ascending, each a multiple of `step`. */
function places(step: number): fc.Arbitrary<number[]> {
  const gap = fc.oneof(fc.nat(3), fc.nat(40));
  return fc.array(gap, { maxLength: 100 }).map((gaps) => {
    const offsets: number[] = [];
    let next = 128;
    for (const skip of gaps) {
      const offset = Math.ceil((next + skip * 8) / step) * step + (skip % 3 === 0 ? step : 0);
      if (offset + 8 > PLACES_END) break;
      offsets.push(offset);
      next = offset + 8;
    }
    return offsets;
  });
}

const relas = places(1)
  .chain((offsets) =>
    fc.tuple(
      ...offsets.map((offset) =>
        fc.tuple(fc.constant(offset), u64, fc.constantFrom(RELATIVE, RELATIVE, RELATIVE, 257)),
      ),
    ),
  )
  .map((rows) => rows.slice(0, 80).map(([offset, addend, type]) => ({ place: at(offset), addend, type })));
const relrOffsets = places(2);
const contents = fc.uint8Array({ minLength: PLACES_END - 128, maxLength: PLACES_END - 128 });

const image = fc.tuple(relas, relrOffsets, contents).map(([records, offsets, bytes]) => {
  const words = encodeRelr(offsets.map(at));
  const opened = open({ relas: { at: RELA_AT, records }, relr: { at: RELR_AT, words } });
  opened.bytes.set(bytes, 128);
  return { opened, records, words };
});

describe('relocateImage', () => {
  it('leaves the bytes that the reference does, whatever the places, their alignment and the distance', () => {
    fc.assert(
      fc.property(image, delta, ({ opened, records, words }, distance) => {
        const input = { bytes: opened.bytes, base: BASE, relas: records, relr: words };
        const expected = referenceSelfRelocation(input, BigInt(distance));
        const result = copyOf(opened);
        expect(relocateImage(result, distance)).toEqual({
          rela: records.filter(({ type }) => type === RELATIVE).length,
          relr: referenceRelr(words).length,
        });
        expect(Buffer.compare(result.bytes, expected)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('can be repeated for RELA: the last address wins', () => {
    fc.assert(
      fc.property(relas, delta, delta, (records, first, second) => {
        const input = open({ relas: { at: RELA_AT, records } });
        const once = relocated(input, second);
        expect(Buffer.compare(relocated(input, second, second), once)).toBe(0);
        expect(Buffer.compare(relocated(input, first, second), once)).toBe(0);
      }),
    );
  });

  it('adds up for RELR: moved on from one address, an image is as if moved there at once', () => {
    fc.assert(
      fc.property(relrOffsets, contents, delta, delta, (offsets, bytes, first, second) => {
        const input = open({ relr: { at: RELR_AT, words: encodeRelr(offsets.map(at)) } });
        input.bytes.set(bytes, 128);
        const there = relocated(input, second);
        expect(Buffer.compare(relocated(input, first, second - first), there)).toBe(0);
        expect(Buffer.compare(relocated(input, first, -first), input.bytes)).toBe(0);
        if (offsets.length > 0 && second !== 0)
          expect(Buffer.compare(relocated(input, second, second), there)).not.toBe(0);
      }),
    );
  });

  it('relocates RELA before RELR, so that a place in both gets addend and twice the distance', () => {
    const input = open({
      relas: { at: RELA_AT, records: [relative(0x100, 5n)] },
      relr: { at: RELR_AT, words: [at(0x100)] },
    });
    expect(readU64(relocated(input, 0x200000), 0x100)).toBe(0x400005n);
  });

  it('carries from the low into the high half, and no further than 64 bits', () => {
    const input = open({
      relas: { at: RELA_AT, records: [relative(0x100, 0xffffffffn), relative(0x10a, 2n ** 64n - 1n)] },
      relr: { at: RELR_AT, words: [at(0x200), at(0x20a)] },
      values: [
        [0x200, 0xffffffffn],
        [0x20a, 2n ** 64n - 1n],
      ],
    });
    const bytes = relocated(input, 1);
    expect([0x100, 0x10a, 0x200, 0x20a].map((offset) => readU64(bytes, offset))).toEqual([
      2n ** 32n,
      0n,
      2n ** 32n,
      0n,
    ]);
  });

  it('does nothing to an image without tables', () => {
    const input = open({});
    expect(relocateImage(copyOf(input), 0x200000)).toEqual({ rela: 0, relr: 0 });
    expect(Buffer.compare(relocated(input, 0x200000), input.bytes)).toBe(0);
  });

  it('relocates a Buffer somewhere in a larger one', () => {
    const input = open({ relas: { at: RELA_AT, records: [relative(0x100, 5n)] } });
    const larger = Buffer.alloc(SIZE + 64, 0xee);
    larger.set(input.bytes, 24);
    relocateImage({ ...input, bytes: larger.subarray(24, 24 + SIZE) }, 16);
    expect(readU64(larger, 24 + 0x100)).toBe(21n);
    expect(
      larger.subarray(0, 24).every((byte) => byte === 0xee) &&
        larger.subarray(24 + SIZE).every((byte) => byte === 0xee),
    ).toBe(true);
  });
});

describe('relrPlaces', () => {
  const bitmap = u64.map((bits) => bits | 1n);

  it('decodes addresses and bitmaps as the reference does', () => {
    const entry = fc.tuple(fc.nat(40), fc.array(fc.oneof(bitmap, fc.constant(1n)), { maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), (entries) => {
        let next = 128n;
        const words = entries.flatMap(([gap, bitmaps]) => {
          const address = BASE + next + 2n * BigInt(gap);
          next = address - BASE + 8n + 504n * BigInt(bitmaps.length);
          return [address, ...bitmaps];
        });
        fc.pre(next <= BigInt(PLACES_END));
        const found = relrPlaces(open({ relr: { at: RELR_AT, words } }));
        expect(Array.from(found, at)).toEqual(referenceRelr(words));
      }),
    );
  });

  it('takes a place that ends with the image, as address and as bit of a bitmap, and none behind it', () => {
    const decode = (...words: bigint[]) => codeOf(() => relrPlaces(open({ relr: { at: RELR_AT, words } })));
    expect(decode(at(SIZE - 8))).toBeUndefined();
    expect(decode(at(SIZE - 6))).toBe('BAD_PLACE');
    expect(decode(at(SIZE - 24), 0b111n)).toBeUndefined();
    expect(decode(at(SIZE - 24), 0b1111n)).toBe('BAD_PLACE');
    expect(decode(at(SIZE - 512), (2n ** 63n) | 1n)).toBeUndefined();
    expect(decode(at(SIZE - 504), (2n ** 63n) | 1n)).toBe('BAD_PLACE');
    expect(decode(at(SIZE - 768), 1n, (2n ** 32n) | 1n)).toBeUndefined();
    expect(decode(at(SIZE - 768), 1n, (2n ** 33n) | 1n)).toBe('BAD_PLACE');
  });

  it('takes a place at _text and none before it', () => {
    const decode = (word: bigint) => codeOf(() => relrPlaces(open({ relr: { at: RELR_AT, words: [word] } })));
    expect(decode(BASE)).toBeUndefined();
    expect(decode(BASE - 2n)).toBe('BAD_PLACE');
    for (const word of [0n, 0x7ffffffffffffffen, 0x8000000000000000n, 0xfffffffffffffffen]) {
      expect(decode(word)).toBe('BAD_PLACE');
    }
  });

  it('refuses a bitmap that no address precedes', () => {
    expect(codeOf(() => relrPlaces(open({ relr: { at: RELR_AT, words: [3n] } })))).toBe('BAD_PLACE');
  });

  it('refuses a bitmap that empty ones carry past 4 GiB, instead of wrapping round', () => {
    const words = new BigUint64Array(Math.ceil(2 ** 32 / 504) + 2).fill(1n);
    words[0] = BASE;
    words[words.length - 1] = 3n;
    const tables = { rela: { offset: 0, count: 0 }, relr: { offset: 0, words: words.length, count: 0 } };
    const linkBase = Number(BigInt.asIntN(64, BASE));
    expect(codeOf(() => relrPlaces({ bytes: new Uint8Array(words.buffer), linkBase, tables }))).toBe('BAD_PLACE');
  });
});

describe('what is refused before anything is written', () => {
  const good = relative(0x100, 1n);
  const cases: [string, string, Omit<BuiltImage, 'base' | 'size'>][] = [
    ['a place before _text', 'BAD_PLACE', { relas: { at: RELA_AT, records: [good, relative(-1)] } }],
    [
      'a place that ends behind the image',
      'BAD_PLACE',
      { relas: { at: RELA_AT, records: [good, relative(SIZE - 7)] } },
    ],
    ['a place at no address', 'BAD_PLACE', { relas: { at: RELA_AT, records: [good, { ...good, place: 2n ** 63n }] } }],
    ['two places that share a byte', 'OVERLAP', { relas: { at: RELA_AT, records: [good, relative(0x107)] } }],
    ['the same place twice', 'OVERLAP', { relas: { at: RELA_AT, records: [relative(0x200), good, relative(0x200)] } }],
    ['places that overlap out of order', 'OVERLAP', { relas: { at: RELA_AT, records: [relative(0x107), good] } }],
    ['two RELR places that share a byte', 'OVERLAP', { relr: { at: RELR_AT, words: [at(0x100), at(0x106)] } }],
    ['a RELR place that a bitmap named', 'OVERLAP', { relr: { at: RELR_AT, words: [at(0x100), 3n, at(0x108)] } }],
    ['a place inside .rela.dyn', 'OVERLAP', { relas: { at: RELA_AT, records: [good, relative(RELA_AT + 47)] } }],
    [
      'a place that reaches into .rela.dyn',
      'OVERLAP',
      { relas: { at: RELA_AT, records: [good, relative(RELA_AT - 7)] } },
    ],
    [
      'a RELA place inside .relr.dyn',
      'OVERLAP',
      { relas: { at: RELA_AT, records: [good, relative(RELR_AT)] }, relr: { at: RELR_AT, words: [at(0x200)] } },
    ],
    ['a RELR place inside .relr.dyn', 'OVERLAP', { relr: { at: RELR_AT, words: [at(0x200), at(RELR_AT + 8)] } }],
  ];

  it.each(cases)('%s', (_, code, built) => {
    const input = open(built);
    const before = Uint8Array.from(input.bytes);
    expect(codeOf(() => relocateImage(input, 0x200000))).toBe(code);
    expect(Buffer.compare(input.bytes, before)).toBe(0);
  });

  it('takes places right beside each other, the tables and the ends of the image', () => {
    const records = [0, 0x100, 0x108, RELA_AT - 8, RELA_AT + 24 * 6, SIZE - 8].map((offset) => relative(offset));
    expect(relocateImage(open({ relas: { at: RELA_AT, records } }), 0)).toEqual({ rela: 6, relr: 0 });
  });

  it('takes unsorted places that do not overlap', () => {
    const records = [0x300, 0x100, 0x200].map((offset) => relative(offset, BigInt(offset)));
    const bytes = relocated(open({ relas: { at: RELA_AT, records } }), 1);
    expect([0x100, 0x200, 0x300].map((offset) => readU64(bytes, offset))).toEqual([0x101n, 0x201n, 0x301n]);
  });

  it.each([
    ['ends behind the image', SIZE - 16, 1],
    ['begins behind it', SIZE + 24, 1],
    ['begins before it', -24, 1],
    ['is not aligned', RELA_AT + 4, 1],
    ['is longer than any image', 0, 2 ** 40],
  ])('a table that %s', (_, offset, count) => {
    const input = open({});
    const none = { offset: 0, count: 0, words: 0 };
    const withRela = { ...input, tables: { rela: { offset, count }, relr: none } };
    const withRelr = { ...input, tables: { rela: none, relr: { offset, words: count * 3, count: 0 } } };
    expect(codeOf(() => relocateImage(withRela, 0))).toBe('BAD_TABLE');
    expect(codeOf(() => relocateImage(withRelr, 0))).toBe('BAD_TABLE');
  });

  it('says how far from _text a bad place is', () => {
    const input = open({ relas: { at: RELA_AT, records: [relative(-16)] } });
    expect(() => relocateImage(input, 0)).toThrow(
      ".rela.dyn: a relocation's place lies outside the image, 0x10 bytes below _text",
    );
  });
});
