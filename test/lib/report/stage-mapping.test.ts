import { describe, expect, it } from '@jest/globals';
import { toU64, va } from '../../../lib/address.js';
import { inferBoundaries } from '../../../lib/mmu/boundary.js';
import { mapKernel } from '../../../lib/mmu/kernel-mapping.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';
import { imageSegments } from '../../../lib/report/image-segment.js';
import { stageMapping } from '../../../lib/report/stage-mapping.js';

const TEXT = va(-0x21c7be200000);
const PHYS = 0x40200000;
/** Of Debian's 6.12.107. */
const SYMBOLS = {
  _stext: 0x10000,
  _etext: 0xf60000,
  __inittext_begin: 0x1d20000,
  __initdata_begin: 0x1e10000,
  _data: 0x2030000,
  _end: 0x24f0000,
};

const { boundaries } = inferBoundaries({
  symbols: Object.fromEntries(Object.entries(SYMBOLS).map(([name, offset]) => [name, va(TEXT + offset)])),
  text: TEXT,
});
const mapping = mapKernel({
  version: '6.12.107',
  stage: 'final',
  regime: translationRegime({ pageSize: 4096, vaBits: 48 }),
  boundaries,
  phys: PHYS,
});
const { runs, segments, tables } = stageMapping('final', mapping, TEXT);

const PAGE = 4096;
const BLOCK = 2 ** 21;

describe('stageMapping', () => {
  it('tells the runs of entries that the booted kernel had', () => {
    const measured = [
      [0x10000, 0x200000, PAGE, true],
      [0x200000, 0xe00000, BLOCK, false],
      [0xe00000, 0xf60000, PAGE, true],
      [0xf60000, 0x1000000, PAGE, false],
      [0x1000000, 0x1c00000, BLOCK, false],
      [0x1c00000, 0x1d20000, PAGE, false],
    ];
    const found = runs
      .filter(({ offset }) => offset >= 0x10000 && offset < 0x1d20000)
      .map(({ offset, entrySize, count, contiguous }) => [offset, offset + entrySize * count, entrySize, contiguous]);
    expect(found).toEqual(measured);
  });

  it('holds every entry once, where it is and with its permissions', () => {
    const entries = runs.flatMap(({ offset, phys, entrySize, count, contiguous, permissions }) =>
      Array.from({ length: count }, (_, i) => ({
        va: toU64(va(TEXT + offset + i * entrySize)),
        pa: BigInt(phys) + BigInt(i * entrySize),
        size: entrySize,
        contiguous,
        permissions,
      })),
    );
    const leaves = mapping.leaves.map(({ va: address, pa, size, contiguous, attributes }) => ({
      va: toU64(address),
      pa: BigInt(pa),
      size,
      contiguous,
      permissions: `${attributes.writable ? 'RW' : 'RO'} ${attributes.executable ? 'X' : 'NX'}`,
    }));
    expect(entries).toEqual(leaves);
    expect(tables).toBe(mapping.tables.pages);
  });

  it('counts segments from _text', () => {
    expect(segments.map(({ name, start, end, permissions }) => [name, start, end, permissions])).toEqual([
      ['head', 0, 0x10000, 'RO NX'],
      ['text', 0x10000, 0xf60000, 'RO X'],
      ['rodata', 0xf60000, 0x1d20000, 'RO NX'],
      ['init text', 0x1d20000, 0x1e10000, 'unmapped'],
      ['init data', 0x1e10000, 0x2030000, 'unmapped'],
      ['data', 0x2030000, 0x24f0000, 'RW NX'],
    ]);
  });
});

describe('imageSegments', () => {
  it('lie between the symbols of the image, without gaps', () => {
    const parts = imageSegments(boundaries, TEXT);
    expect(parts.map(({ name }) => name)).toEqual(['head', 'text', 'rodata', 'init text', 'init data', 'data']);
    expect(parts[0]!.start).toBe(0);
    expect(parts.at(-1)!.end).toBe(SYMBOLS._end);
    for (let i = 1; i < parts.length; i++) expect(parts[i]!.start).toBe(parts[i - 1]!.end);
  });

  it('leave out a part whose bounds are not known', () => {
    const { _etext: _, __start_rodata: __, ...rest } = boundaries;
    expect(imageSegments(rest, TEXT).map(({ name }) => name)).toEqual(['head', 'init text', 'init data', 'data']);
  });
});
