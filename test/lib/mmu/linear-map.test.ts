import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { MappingError } from '../../../lib/errors.js';
import { type LinearMap, type LinearMapRequest, linearMap } from '../../../lib/mmu/linear-map.js';
import { type TranslationRegime, translationRegime } from '../../../lib/mmu/translation-regime.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
const pageOffset = va(-(2 ** 48));
const memstart = GIB;

/** Offset in the map, entries' size in KiB, contiguous, permissions, total in KiB: a line of ptdump in numbers. */
function lines({ runs }: LinearMap): unknown[] {
  return runs.map((run) => [
    run.va - pageOffset,
    run.entrySize / 1024,
    run.contiguous,
    run.permissions,
    (run.count * run.entrySize) / 1024,
  ]);
}

describe('linearMap', () => {
  it('maps a machine of 12 GiB as Linux 6.17 did: blocks around the image, pages where its alias ends', () => {
    // The first 5 GiB are the sizes of a ptdump from such a machine, its text and rodata at 0x210000 to 0x2550000;
    // beyond, it had split blocks since boot.
    const map = linearMap({
      regime,
      memstart,
      pageOffset,
      ranges: [{ start: GIB, end: 13 * GIB }],
      image: { start: GIB + 0x210000, end: GIB + 0x2550000 },
    });
    expect(lines(map)).toEqual([
      [0, 2048, false, 'RW NX', 2048],
      [0x200000, 4, true, 'RW NX', 64],
      [0x210000, 4, false, 'RO NX', 1984],
      [0x400000, 2048, false, 'RO NX', 32 * 1024],
      [0x2400000, 4, false, 'RO NX', 1344],
      [0x2550000, 4, true, 'RW NX', 704],
      [0x2600000, 2048, false, 'RW NX', 26 * 1024],
      [0x4000000, 2048, true, 'RW NX', 960 * 1024],
      [0x40000000, GIB / 1024, false, 'RW NX', 11 * MIB],
    ]);
    expect(map.tables.total).toBe(1 + 1 + 1 + 2);
  });

  it('costs little without the image, and much in pages only', () => {
    const request: LinearMapRequest = { regime, memstart, pageOffset, ranges: [{ start: GIB, end: 13 * GIB }] };
    expect(linearMap(request)).toMatchObject({
      leaves: [{ size: GIB, contiguous: false, count: 12 }],
      tables: { total: 2 },
    });
    const image = { start: GIB + 0x210000, end: GIB + 0x2550000 };
    const pages = linearMap({ ...request, image, pagesOnly: true });
    expect(pages.leaves).toEqual([
      { size: 2 * MIB, contiguous: false, count: 16 },
      { size: 4096, contiguous: false, count: 12 * 2 ** 18 - 16 * 512 },
    ]);
    expect(pages.tables.total).toBe(1 + 1 + 12 + 12 * 512 - 16);
  });

  it('may group the alias from 7.x on', () => {
    const image = { start: GIB + 0x10000, end: GIB + 0x400000 };
    const map = (contiguous: boolean): LinearMap =>
      linearMap({
        regime,
        memstart,
        pageOffset,
        ranges: [{ start: GIB, end: 2 * GIB }],
        image: { ...image, contiguous },
      });
    expect(map(false).runs[1]).toMatchObject({ contiguous: false, entrySize: 4096, count: 496 });
    expect(map(true).runs[1]).toMatchObject({ contiguous: true, entrySize: 4096, count: 496 });
  });

  it('covers terabytes in as many runs as there are kinds of entries', () => {
    const map = linearMap({ regime, memstart: 0, pageOffset, ranges: [{ start: 0, end: 64 * 2 ** 40 }] });
    expect(map.runs.length).toBe(1);
    expect(map.leaves).toEqual([{ size: GIB, contiguous: false, count: 2 ** 16 }]);
  });

  it('maps all memory once, in any order of ranges, and never image and rest with one entry', () => {
    const page = fc.constantFrom<TranslationRegime[]>(
      translationRegime({ pageSize: 16384, vaBits: 47 }),
      translationRegime({ pageSize: 65536, vaBits: 48 }),
      regime,
    );
    const machine = fc.record({
      granule: page,
      cuts: fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 16 }), { minLength: 4, maxLength: 8 }),
      image: fc.tuple(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      pagesOnly: fc.boolean(),
    });
    fc.assert(
      fc.property(machine, ({ granule, cuts, image, pagesOnly }) => {
        const unit = 65536;
        const ends = cuts.sort((a, b) => a - b).map((n) => n * unit);
        const ranges = ends.slice(1).flatMap((end, i) => (i % 2 === 0 ? [{ start: ends[i]!, end }] : []));
        const [home] = ranges as [{ start: number; end: number }];
        const span = (home.end - home.start) / unit;
        const start = home.start + Math.floor(image[0] * span) * unit;
        const alias = { start, end: Math.max(start + unit, home.start + Math.floor(image[1] * span) * unit) };
        const request = {
          regime: granule,
          memstart: 0,
          pageOffset: va(-(2 ** granule.vaBits)),
          pagesOnly,
          image: alias,
        };
        const map = linearMap({ ...request, ranges: [...ranges].reverse() });
        const pieces = map.runs.map((run) => ({ start: run.pa, end: run.pa + run.count * run.entrySize, run }));
        const total = ranges.reduce((sum, range) => sum + range.end - range.start, 0);
        expect(pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0)).toBe(total);
        for (const { start: from, end: to, run } of pieces) {
          expect(ranges.some((range) => range.start <= from && to <= range.end)).toBe(true);
          expect(run.permissions).toBe(from >= alias.start && to <= alias.end ? 'RO NX' : 'RW NX');
          expect(to <= alias.start || from >= alias.end || run.permissions === 'RO NX').toBe(true);
        }
      }),
    );
  });

  it.each([
    [
      'overlapping memory',
      {
        ranges: [
          { start: GIB, end: 3 * GIB },
          { start: 2 * GIB, end: 4 * GIB },
        ],
      },
      'CONFLICT',
    ],
    ['an image in no memory', { image: { start: 5 * GIB, end: 5 * GIB + MIB } }, 'CONFLICT'],
    ['an image across the end of memory', { image: { start: 2 * GIB - MIB, end: 2 * GIB + MIB } }, 'CONFLICT'],
    ['an empty image', { image: { start: GIB, end: GIB } }, 'CONFLICT'],
    ['memory below memstart', { memstart: 2 * GIB }, 'BAD_RANGE'],
    ['memory beyond the address space', { ranges: [{ start: GIB, end: 2 ** 49 }] }, 'BAD_RANGE'],
    ['half a page', { ranges: [{ start: GIB, end: GIB + 2048 }] }, 'MISALIGNED'],
    ['memory upside down', { ranges: [{ start: 2 * GIB, end: GIB }] }, 'BAD_RANGE'],
  ])('refuses %s', (_, change, code) => {
    const run = (): LinearMap =>
      linearMap({ regime, memstart, pageOffset, ranges: [{ start: GIB, end: 2 * GIB }], ...change });
    expect(run).toThrow(MappingError);
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});
