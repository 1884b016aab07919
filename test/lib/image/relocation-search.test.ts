import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findRelocationTables } from '../../../lib/image/relocation-search.js';
import { type BuiltImage, buildImage, RELATIVE } from '../../support/image-builder.js';
import { encodeRelr, type ReferenceRela, writeU64 } from '../../support/reference-self-relocation.js';

const BASE = 0xffff800008000000n;
const SIZE = 0x8000;
const RELA_AT = 0x4000;
const RELR_AT = 0x6000;

const at = (offset: number): bigint => BASE + BigInt(offset);
const relative = (offset: number): ReferenceRela => ({ place: at(offset), type: RELATIVE, addend: at(offset * 3) });

/** Builds an image whose RELR places hold addresses of it, as link editors leave them, and searches it. */
function search(image: Partial<BuiltImage>, change: (bytes: Uint8Array) => void = () => {}) {
  const bytes = buildImage({ base: BASE, size: SIZE, ...image });
  change(bytes);
  const found = findRelocationTables(bytes, { imageSize: image.imageSize ?? SIZE, textOffset: image.textOffset ?? 0 });
  return found && { ...found, linkBase: BigInt.asUintN(64, BigInt(found.linkBase)) };
}

const holding = (offsets: readonly number[]) => offsets.map((offset) => [offset, at(0x1234)] as const);

/** Ascending offsets of even places below the tables. */
const offsets = (min: number) =>
  fc.array(fc.integer({ min: 0, max: 12 }), { minLength: min, maxLength: 300 }).map((gaps) => {
    let next = 0x100;
    return gaps.map((gap) => {
      const offset = next + gap * 2;
      next = offset + 8;
      return offset;
    });
  });

const NO_RELA = { offset: 0, count: 0 };
const NO_RELR = { offset: 0, words: 0, count: 0 };

describe('findRelocationTables', () => {
  it('finds a RELA table wherever it stands, with every record of it', () => {
    fc.assert(
      fc.property(offsets(1), fc.nat(0x200), fc.constantFrom(0, 0x80000), (places, where, textOffset) => {
        const base = BASE + BigInt(textOffset);
        const records = places.map((offset) => ({ ...relative(offset), place: base + BigInt(offset) }));
        const offset = RELA_AT + where * 8;
        expect(search({ textOffset, relas: { at: offset, records } })).toEqual({
          linkBase: base,
          rela: { offset, count: records.length },
          relr: NO_RELR,
          movedBy: 0,
        });
      }),
    );
  });

  it('finds a RELR table wherever it stands, beside a few RELA records too', () => {
    fc.assert(
      fc.property(offsets(12), fc.nat(0x80), fc.nat(7), (places, where, count) => {
        const words = encodeRelr(places.map(at));
        const offset = RELR_AT + where * 8;
        const records = Array.from({ length: count }, (_, i) => relative(0x3000 + i * 8));
        const image = { relas: { at: RELA_AT, records }, relr: { at: offset, words }, values: holding(places) };
        expect(search(image)).toEqual({
          linkBase: BASE,
          rela: count > 0 ? { offset: RELA_AT, count } : NO_RELA,
          relr: { offset, words: words.length, count: places.length },
          movedBy: 0,
        });
      }),
    );
  });

  const places = Array.from({ length: 40 }, (_, i) => 0x200 + 24 * i);
  const relr = { at: RELR_AT, words: encodeRelr(places.map(at)) };
  const found = { offset: RELR_AT, words: relr.words.length, count: places.length };

  it('is not taken in by a RELA record that stands alone, as in a string', () => {
    const lone = (bytes: Uint8Array) => writeU64(bytes, 0x3008, 0x403n);
    const records = places.map(relative);
    expect(search({ relas: { at: RELA_AT, records } }, lone)?.rela).toEqual({ offset: RELA_AT, count: 40 });
    expect(search({ relr, values: holding(places) }, lone)).toMatchObject({
      linkBase: BASE,
      rela: NO_RELA,
      relr: found,
    });
  });

  it('is not taken in by a longer run of pointers, to data that holds no addresses', () => {
    const pointers = (bytes: Uint8Array) => {
      for (let i = 0; i < 200; i++) writeU64(bytes, 0x3000 + 8 * i, at(0x1000 + 8 * i));
    };
    expect(search({ relr, values: holding(places) }, pointers)).toMatchObject({ linkBase: BASE, relr: found });
  });

  it('does not take what follows a RELR table for a part of it', () => {
    for (const word of [3n, 0x55n, 2n ** 64n - 1n, at(0x3f00), at(0x4), 0n]) {
      const behind = (bytes: Uint8Array) => {
        for (let i = 0; i < 20; i++) writeU64(bytes, RELR_AT + 8 * relr.words.length + 8 * i, word);
      };
      expect(search({ relr, values: holding(places) }, behind)).toMatchObject({ relr: found });
    }
  });

  it('does not take the last addend of a RELA table for the start of the RELR table behind it', () => {
    const records = [relative(0x3000), { ...relative(0x3008), addend: at(0x180) }];
    const image = { relas: { at: RELR_AT - 48, records }, relr, values: holding([0x180, ...places]) };
    expect(search(image)).toMatchObject({ rela: { offset: RELR_AT - 48, count: 2 }, relr: found });
  });

  it('finds the tables of an image that has moved, and how far, by what RELATIVE places hold beyond their addends', () => {
    const moved = (distance: bigint, held = distance) => {
      const list = Array.from({ length: 64 }, (_, i) => 0x200 + 24 * i);
      const words = encodeRelr(list.map(at));
      const records = [0x3000, 0x3008].map((place) => ({ ...relative(place), addend: at(0x180) }));
      const values = [
        ...list.map((offset) => [offset, at(offset) + distance] as const),
        [0x3000, at(0x180) + held] as const,
      ];
      return search({
        relas: { at: RELA_AT, records },
        relr: { at: RELR_AT, words },
        values: [...values, [0x3008, at(0x180) + distance]],
      });
    };
    for (const distance of [0x2a5fde000000n, -0x20000000n, 0n]) {
      expect(moved(distance)).toMatchObject({ linkBase: BASE, relr: { count: 64 }, movedBy: Number(distance) });
    }
    expect(moved(0x200000n, 0x400000n)).toMatchObject({ movedBy: 0 });
  });

  it('takes places up to the last word of the image and none behind it', () => {
    const image = (last: number, imageSize: number) =>
      search({ imageSize, relas: { at: RELA_AT, records: [relative(0x200), relative(last)] } });
    expect(image(0x20000 - 8, 0x20000)?.rela.count).toBe(2);
    expect(image(0x20000 - 7, 0x20000)).toBeUndefined();
  });

  it('finds nothing in an image that has neither table', () => {
    expect(search({})).toBeUndefined();
    expect(search({}, (bytes) => bytes.fill(0x55, 128))).toBeUndefined();
    expect(
      search({ relas: { at: RELA_AT, records: [{ place: 0x1000n, type: RELATIVE, addend: 0n }] } }),
    ).toBeUndefined();
    expect(
      search({ relas: { at: RELA_AT, records: [{ place: 2n ** 63n, type: RELATIVE, addend: 0n }] } }),
    ).toBeUndefined();
  });

  it('ends without an error on noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 2048 }), (noise) => {
        const bytes = Uint8Array.from(noise);
        expect(() => findRelocationTables(bytes, { imageSize: bytes.length, textOffset: 0 })).not.toThrow();
      }),
    );
  });
});
