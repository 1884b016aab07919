import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { MappingError } from '../../../lib/errors.js';
import { type Boundaries, inferBoundaries } from '../../../lib/mmu/boundary.js';
import { type KernelMapping, mapKernel } from '../../../lib/mmu/kernel-mapping.js';
import type { Stage } from '../../../lib/mmu/mapping-rule.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';
import { translate } from '../../../lib/mmu/walker.js';

const MIB = 2 ** 20;
const TEXT = va(-0x21c7be200000);
const PHYS = 0x40200000;
/** Offsets of a 40 MiB kernel, every boundary at a multiple of 64 KiB and none at one of 2 MiB. */
const OFFSETS = {
  _stext: 0x10000,
  _etext: 0xf60000,
  __inittext_begin: 0x1d20000,
  __initdata_begin: 0x1e10000,
  _data: 0x2030000,
  _end: 0x24f0000,
};

function boundariesAt(text: number, offsets: Record<string, number> = OFFSETS): Boundaries {
  const symbols = Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, va(text + offset)]));
  return inferBoundaries({ symbols, text: va(text) }).boundaries;
}

function map(version: string, stage: Stage, pageSize: number, more = {}): KernelMapping {
  const vaBits = pageSize === 16384 ? 47 : 48;
  const regime = translationRegime({ pageSize, vaBits });
  return mapKernel({ version, stage, regime, boundaries: boundariesAt(TEXT), phys: PHYS, ...more });
}

/** What is mapped at an offset of the image, in the words of KERNEL-FACTS: permissions, size, contiguous. */
function at({ tables }: KernelMapping, offset: number): string {
  const found = translate(tables, va(TEXT + offset));
  if ('fault' in found) return 'unmapped';
  const { attributes, size, contiguous } = found.leaf;
  expect(found.pa).toBe(PHYS + offset);
  const permissions = `${attributes.writable ? 'RW' : 'RO'} ${attributes.executable ? 'X' : 'NX'}`;
  return `${permissions} ${size / 1024}K${contiguous ? ' CONT' : ''}`;
}

/** One address in each segment: below the text, text, rodata, init text, init data, data. */
const PROBES = [0, 0x10000, 0xf60000, 0x1d20000, 0x1e10000, 0x2030000];

describe('mapKernel', () => {
  // The table of permissions by version and stage, at page granularity (no probe lies in a block of 2 MiB).
  it.each([
    ['5.10', 'final', 4096, ['RO X 2048K', 'RO X 2048K', 'RO NX 4K', 'unmapped', 'unmapped', 'RW NX 4K CONT']],
    ['5.15', 'final', 4096, ['unmapped', 'RO X 4K CONT', 'RO NX 4K', 'unmapped', 'unmapped', 'RW NX 4K CONT']],
    ['6.1', 'early', 4096, Array(6).fill('RW X 2048K')],
    ['6.1', 'early', 16384, Array(6).fill('RW X 16K')],
    ['6.1', 'early', 65536, Array(6).fill('RW X 64K')],
    ['6.1', 'final', 4096, ['unmapped', 'RO X 4K CONT', 'RO NX 4K', 'unmapped', 'unmapped', 'RW NX 4K CONT']],
    ['6.1', 'final', 65536, ['unmapped', 'RO X 64K', 'RO NX 64K', 'unmapped', 'unmapped', 'RW NX 64K']],
    ['6.11.3', 'early', 4096, ['unmapped', 'RO X 4K CONT', 'RW NX 4K', 'RO X 4K', 'RW NX 4K', 'RW NX 4K CONT']],
    ['6.12.53', 'final', 4096, ['unmapped', 'RO X 4K CONT', 'RO NX 4K', 'unmapped', 'unmapped', 'RW NX 4K CONT']],
    ['6.9', 'early', 4096, ['RW NX 4K', 'RO X 4K CONT', 'RW NX 4K', 'RO X 4K', 'RW NX 4K', 'RW NX 4K CONT']],
    ['6.16', 'final', 4096, ['RO NX 4K', 'RO X 4K CONT', 'RO NX 4K', 'unmapped', 'unmapped', 'RW NX 4K CONT']],
    ['7.3', 'final', 16384, ['RO NX 16K', 'RO X 16K', 'RO NX 16K', 'unmapped', 'unmapped', 'RW NX 16K']],
  ] as const)('%s %s with pages of %i bytes', (version, stage, pageSize, expected) => {
    const mapping = map(version, stage, pageSize);
    expect(PROBES.map((offset) => at(mapping, offset))).toEqual(expected);
    expect(at(mapping, OFFSETS._end - 1)).toMatch(/^RW/);
  });

  it('lists the segments with what they are at that stage, and how they were while booting', () => {
    expect(
      map('6.1', 'final', 4096).segments.map(({ name, permissions, contiguous }) => [name, permissions, contiguous]),
    ).toEqual([
      ['head', 'unmapped', false],
      ['text', 'RO X', true],
      ['rodata', 'RO NX', false],
      ['init text', 'unmapped', false],
      ['init data', 'unmapped', false],
      ['data', 'RW NX', true],
    ]);
    const { segments } = map('6.12', 'final', 4096);
    expect(segments[3]).toMatchObject({ name: 'init text', boot: { permissions: 'RO X', contiguous: false } });
    expect(map('6.1', 'early', 4096).segments).toEqual([
      { name: 'image', start: TEXT, end: TEXT + OFFSETS._end, permissions: 'RW X', contiguous: false },
    ]);
  });

  it('rounds the early blocks outwards where the image does not start at 2 MiB', () => {
    const boundaries = boundariesAt(TEXT + 0x80000);
    const mapping = map('6.1', 'early', 4096, { boundaries, phys: PHYS + 0x80000 });
    expect(mapping.leaves[0]).toMatchObject({ va: TEXT, pa: PHYS });
    expect(mapping.leaves.length).toBe(Math.ceil((0x80000 + OFFSETS._end) / (2 * MIB)));
  });

  it('groups blocks up to 6.8, where VA and PA allow it, and not since', () => {
    const offsets = {
      ...OFFSETS,
      _stext: 0x10000,
      _etext: 0x8010000,
      __inittext_begin: 0x8020000,
      __initdata_begin: 0x8030000,
      _data: 0x8040000,
      _end: 0x8050000,
    };
    const text = va(-0x21c7c0000000);
    const groups = (version: string): number =>
      map(version, 'final', 4096, { boundaries: boundariesAt(text, offsets), phys: 2 ** 30 }).leaves.filter(
        (leaf) => leaf.contiguous && leaf.level === 2,
      ).length;
    expect(groups('6.1')).toBe(48);
    expect(groups('6.12')).toBe(0);
  });

  it('keeps the tables of init memory when it is freed', () => {
    const early = map('6.12', 'early', 4096);
    const final = map('6.12', 'final', 4096);
    expect(final.tables.pages).toBe(early.tables.pages);
    expect(final.leaves.length).toBeLessThan(early.leaves.length);
  });

  it('puts no shareability into the words of an LPA2 kernel, nG and GP only where asked', () => {
    const words = (format: '48-bit' | 'lpa2', features = {}): bigint[] => {
      const regime = translationRegime({ pageSize: 4096, vaBits: 48, format });
      const { leaves } = map('6.12', 'early', 4096, { regime, features });
      return [leaves[0]!.descriptor, leaves[16]!.descriptor];
    };
    expect(words('48-bit')).toEqual([0x00e8_0000_4020_0703n, 0x00d0_0000_4021_0783n]);
    expect(words('lpa2')).toEqual([0x00e8_0000_4020_0403n, 0x00d0_0000_4021_0483n]);
    expect(words('48-bit', { nonGlobal: true, guarded: true })).toEqual([
      0x00e8_0000_4020_0f03n,
      0x00d4_0000_4021_0f83n,
    ]);
  });

  it('is the same mapping at any address with the same offset in a block', () => {
    const shape = ({ leaves }: KernelMapping, text: number): string =>
      leaves.map((leaf) => `${leaf.va - text} ${leaf.size} ${leaf.contiguous}`).join('\n');
    const expected = shape(map('6.12', 'final', 4096), TEXT);
    const placements = fc.record({
      slot: fc.integer({ min: 1, max: 2 ** 26 }),
      phys: fc.integer({ min: 0, max: 2 ** 26 }),
    });
    fc.assert(
      fc.property(placements, ({ slot, phys }) => {
        const text = -slot * 2 * MIB - 64 * MIB;
        const request = { boundaries: boundariesAt(text), phys: phys * 2 * MIB };
        expect(shape(map('6.12', 'final', 4096, request), text)).toBe(expected);
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ['a kernel before 5.4', { version: '4.19' }, 'UNKNOWN_ERA'],
    ['no version', { version: 'next' }, 'UNKNOWN_ERA'],
    ['VA and PA that differ modulo 2 MiB', { phys: PHYS + 0x10000 }, 'MISALIGNED'],
    ['a missing boundary', { boundaries: { _text: TEXT, _end: va(TEXT + MIB) } }, 'MISSING_SYMBOL'],
    ['no boundary at all', { boundaries: {} }, 'MISSING_SYMBOL'],
    ['an image beyond 2 GiB', { boundaries: boundariesAt(TEXT, { ...OFFSETS, _end: 2 ** 31 + 1 }) }, 'TOO_LARGE'],
    ['a physical address beyond 48 bits', { phys: 2 ** 48 - 2 * MIB }, 'BAD_RANGE'],
    ['a negative physical address', { phys: -2 * MIB }, 'BAD_RANGE'],
    ['tables beside a page', { root: 100 }, 'MISALIGNED'],
  ])('refuses %s', (_, change, code) => {
    const run = (): KernelMapping => map('6.12', 'final', 4096, change);
    expect(run).toThrow(MappingError);
    expect(run).toThrow(expect.objectContaining({ code }));
  });

  it('names the symbol it misses', () => {
    const { __inittext_begin, ...offsets } = OFFSETS;
    expect(__inittext_begin).toBeDefined();
    expect(() => map('6.1', 'final', 4096, { boundaries: boundariesAt(TEXT, offsets) })).toThrow(
      '__inittext_begin, a boundary of rodata, is no symbol and cannot be inferred',
    );
    expect(() => map('6.1', 'early', 4096, { boundaries: boundariesAt(TEXT, offsets) })).not.toThrow();
  });

  it('needs no boundary between segments that are one address', () => {
    const mapping = map('6.12', 'final', 4096, { boundaries: boundariesAt(TEXT, { ...OFFSETS, _stext: 0 }) });
    expect(mapping.segments.map(({ name }) => name)).not.toContain('head');
  });
});
