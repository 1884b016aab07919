import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { vaFromBigInt } from '../../../lib/address.js';
import { findExports } from '../../../lib/image/ksymtab.js';

const BASE = 0xffff800008000000n;
const STRINGS_AT = 0x8000;
const SIZE = 0x10000;

type Entry = readonly [name: string, value: number];
type Format = 'PREL32 and namespace' | 'PREL32' | 'pointers';
const ENTRY_SIZE: Readonly<Record<Format, number>> = { 'PREL32 and namespace': 12, PREL32: 8, pointers: 16 };

interface Layout {
  readonly format: Format;
  readonly at: number;
  readonly arrays: readonly (readonly Entry[])[];
  /** Whether a name that ends another is a part of it, as linkers merge strings from 6.1 on. */
  readonly merged?: boolean;
}

/** An image with export tables: arrays one behind the other, names apart. */
function build({ format, at, arrays, merged }: Layout): Uint8Array {
  const image = Buffer.alloc(SIZE);
  let end = STRINGS_AT;
  const place = (name: string): number => {
    const found = merged ? image.indexOf(`${name}\0`, STRINGS_AT, 'latin1') : -1;
    if (found >= 0) return found;
    const start = end;
    end += image.write(`${name}\0`, start, 'latin1');
    return start;
  };
  const entries = arrays.flat();
  const longestFirst = [...entries].sort(([a], [b]) => b.length - a.length);
  const names = new Map(longestFirst.map(([name]) => [name, place(name)]));
  const namespace = place('');
  entries.forEach(([name, value], i) => {
    const entry = at + i * ENTRY_SIZE[format];
    if (format === 'pointers') {
      image.writeBigUInt64LE(BASE + BigInt(value), entry);
      image.writeBigUInt64LE(BASE + BigInt(names.get(name)!), entry + 8);
      return;
    }
    image.writeInt32LE(value - entry, entry);
    image.writeInt32LE(names.get(name)! - entry - 4, entry + 4);
    if (format === 'PREL32 and namespace') image.writeInt32LE(namespace - entry - 8, entry + 8);
  });
  return image;
}

const find = (image: Uint8Array, imageSize = 2 * SIZE) =>
  [...findExports(image, vaFromBigInt(BASE), imageSize)].map(
    ([name, address]): Entry => [name, address - Number(BigInt.asIntN(64, BASE))],
  );

const byName = ([a]: readonly unknown[], [b]: readonly unknown[]): number => ((a as string) < (b as string) ? -1 : 1);
const numbered = (prefix: string, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => [`${prefix}_${String(i).padStart(4, '0')}`, 0x100 + 4 * i]);

describe.each<Format>(['PREL32 and namespace', 'PREL32', 'pointers'])('entries of %s', (format) => {
  const step = format === 'pointers' ? 8 : 4;

  it('are all found, in two arrays that touch, wherever they stand', () => {
    const name = fc.string({ unit: fc.constantFrom(...'abcdefgh_0'), minLength: 1, maxLength: 20 }).map((s) => `x${s}`);
    const names = (prefix: string) =>
      fc.uniqueArray(name, { minLength: 10, maxLength: 60 }).map((list) => list.map((s) => prefix + s).sort());
    const value = fc.integer({ min: 0x100, max: 2 * SIZE - 1 });
    fc.assert(
      fc.property(
        names('b'),
        names('a'),
        fc.array(value, { minLength: 120, maxLength: 120 }),
        fc.nat(100),
        (plain, gpl, values, where) => {
          const entry = (list: string[], from: number) => list.map((s, i): Entry => [s, values[from + i]!]);
          const arrays = [entry(plain, 0), entry(gpl, 60)];
          const found = find(build({ format, at: 0x400 + where * step, arrays, merged: true }));
          expect(found.sort(byName)).toEqual(arrays.flat().sort(byName));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are told from a shorter run that merely looks like one', () => {
    const image = build({ format, at: 0x400, arrays: [numbered('export', 40)] });
    image.set(
      build({ format, at: 0x4000, arrays: [numbered('decoy', 9)] }).subarray(0x4000, 0x4000 + 9 * ENTRY_SIZE[format]),
      0x4000,
    );
    expect(find(image)).toEqual(numbered('export', 40));
  });

  it.each([7, 8])('are taken for a table from 8 on: %d', (count) => {
    const entries = numbered('export', count);
    expect(find(build({ format, at: 0x400, arrays: [entries] }))).toEqual(count === 8 ? entries : []);
  });
});

describe('findExports', () => {
  it('finds variables of .bss, which lie behind the file, and nothing behind the image', () => {
    const inside: Entry[] = numbered('a', 20).map(([name]) => [name, SIZE + 8]);
    expect(find(build({ format: 'PREL32', at: 0x400, arrays: [inside] }), SIZE + 9)).toEqual(inside);
    expect(find(build({ format: 'PREL32', at: 0x400, arrays: [inside] }), SIZE + 8)).toEqual([]);
  });

  // Worked by hand from bsearch(): of 8 entries it looks at 4; then at 2, then 1, 0; or at 6, then 7 or 5.
  it.each([
    [0, 1],
    [1, 2],
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 6],
    [6, 6],
  ])('takes of a name at %d and the next of 8 entries the one at %d, as the kernel does', (first, winner) => {
    const entries = Array.from({ length: 8 }, (_, i): Entry => {
      const name = i < first ? `a${i}` : i > first + 1 ? `z${i}` : 'memcpy';
      return [name, 0x100 + 4 * i];
    });
    const found = new Map(find(build({ format: 'PREL32 and namespace', at: 0x400, arrays: [entries] })));
    expect(found.get('memcpy')).toBe(0x100 + 4 * winner);
    expect(found.size).toBe(7);
  });

  it('finds no exports in an image without any', () => {
    expect(find(new Uint8Array(SIZE))).toEqual([]);
    expect(find(new Uint8Array(4))).toEqual([]);
    expect(find(Uint8Array.from({ length: SIZE }, (_, i) => (i * 7919) >> 3))).toEqual([]);
  });
});
