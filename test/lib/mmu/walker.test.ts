import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { type TranslationTables, translate, walkEntries, walkLeaves } from '../../../lib/mmu/walker.js';

/** Tables written by hand, one word at a time, so that the walker is checked against the manual and not the planner. */
function memory(regime: TranslationTables['regime'], words: Record<number, bigint>): TranslationTables {
  return { regime, root: 0x1000 * (regime.pageSize / 4096), read: (address) => words[address] ?? 0n };
}

const K4 = { pageSize: 4096, vaBits: 48, format: '48-bit' } as const;
/** -2^47: index 256 of a 48-bit root. */
const HALF = va(-(2 ** 47));

describe('translate', () => {
  it('follows four levels of 4K tables to a page', () => {
    const tables = memory(K4, {
      [0x1000 + 8 * 256]: 0x2003n,
      8192: 0x3003n,
      [0x3000 + 8]: 0x4003n,
      [0x4000 + 16]: 0x00f8_0000_8765_4f03n,
    });
    const address = va(HALF + 2 ** 21 + 2 * 4096 + 0x123);
    expect(translate(tables, address)).toEqual({
      pa: 0x87654123,
      leaf: {
        va: HALF + 2 ** 21 + 2 * 4096,
        pa: 0x87654000,
        size: 4096,
        level: 3,
        contiguous: true,
        descriptor: 0x00f8_0000_8765_4f03n,
        attributes: {
          writable: true,
          executable: false,
          userExecutable: false,
          accessed: true,
          nonGlobal: true,
          guarded: false,
          shareability: 3,
          memoryType: 0,
        },
      },
    });
    expect(translate(tables, va(address + 4096))).toEqual({ fault: 3 });
    expect(translate(tables, va(HALF + 2 ** 22))).toEqual({ fault: 2 });
    expect(translate(tables, va(HALF + 2 ** 30))).toEqual({ fault: 1 });
    expect(translate(tables, va(-1))).toEqual({ fault: 0 });
  });

  it('takes a permission away where any table on the way does', () => {
    const leaf = (top: bigint, below: bigint) =>
      translate(memory(K4, { [0x1000 + 8 * 256]: 0x2003n | top, 8192: 0x40000701n | below }), HALF);
    expect(leaf(0n, 0n)).toMatchObject({
      leaf: { attributes: { writable: true, executable: true, userExecutable: true } },
    });
    expect(leaf(1n << 62n, 0n)).toMatchObject({ leaf: { attributes: { writable: false, executable: true } } });
    expect(leaf(1n << 59n, 0n)).toMatchObject({ leaf: { attributes: { executable: false, userExecutable: true } } });
    expect(leaf(1n << 60n, 0n)).toMatchObject({ leaf: { attributes: { executable: true, userExecutable: false } } });
    expect(leaf(0n, 1n << 7n)).toMatchObject({ leaf: { attributes: { writable: false } } });
  });

  it('maps a block of 1 GiB with its offset', () => {
    const tables = memory(K4, { [0x1000 + 8 * 256]: 0x2003n, [0x2000 + 8 * 3]: 0xc0000701n });
    expect(translate(tables, va(HALF + 3 * 2 ** 30 + 0x12345678))).toMatchObject({
      pa: 0xc0000000 + 0x12345678,
      leaf: { size: 2 ** 30, level: 1 },
    });
  });

  // Which levels may hold blocks, by granule and format: both sides of each limit.
  it.each([
    [K4, 0, false],
    [{ pageSize: 4096, vaBits: 48, format: 'lpa2' }, 0, true],
    [{ pageSize: 16384, vaBits: 47, format: '48-bit' }, 1, false],
    [{ pageSize: 16384, vaBits: 47, format: 'lpa2' }, 1, true],
    [{ pageSize: 65536, vaBits: 48, format: '48-bit' }, 1, false],
    [{ pageSize: 65536, vaBits: 48, format: '52-bit' }, 1, true],
    [{ pageSize: 16384, vaBits: 36, format: '48-bit' }, 2, true],
    [{ pageSize: 65536, vaBits: 42, format: '48-bit' }, 2, true],
  ] as const)('%j: a block at level %i is one: %j', (regime, level, valid) => {
    const tables = memory(regime, { [0x1000 * (regime.pageSize / 4096)]: 0x401n });
    const found = translate(tables, va(-(2 ** regime.vaBits)));
    expect(found).toEqual(valid ? expect.objectContaining({ pa: 0 }) : { fault: level });
  });

  it('takes a page descriptor without bit 1 for a hole', () => {
    const tables = memory({ pageSize: 65536, vaBits: 42, format: '48-bit' }, { 65536: 0x20003n, 131072: 0x701n });
    expect(translate(tables, va(-(2 ** 42)))).toEqual({ fault: 3 });
  });

  it('reads 52-bit addresses of tables and pages: 64K pages, bits 51 to 48 at 15 to 12', () => {
    const table = 2 ** 51 + 0x30000;
    const tables = memory(
      { pageSize: 65536, vaBits: 42, format: '52-bit' },
      { 65536: 0x38003n, [table]: 0x0000_8000_0001_4703n },
    );
    expect(translate(tables, va(-(2 ** 42)))).toMatchObject({ pa: 2 ** 50 + 2 ** 47 + 0x10000 });
  });

  it('reads 52-bit addresses with LPA2: bits 51 and 50 at 9 and 8, which are no shareability', () => {
    const table = 2 ** 50 + 2 ** 49 + 0x8000;
    const tables = memory(
      { pageSize: 16384, vaBits: 36, format: 'lpa2' },
      { 16384: (1n << 49n) | 0x8103n, [table]: (1n << 48n) | 0x4603n },
    );
    const found = translate(tables, va(-(2 ** 36)));
    expect(found).toMatchObject({ pa: 2 ** 51 + 2 ** 48 + 0x4000 });
    expect(found).not.toHaveProperty('leaf.attributes.shareability');
  });

  it('starts a 52-bit walk of 4K pages at level -1', () => {
    const tables = memory(
      { pageSize: 4096, vaBits: 52, format: 'lpa2' },
      { [0x1000 + 8 * 15]: 0x2003n, [0x2000 + 8 * 511]: 0x40000001n },
    );
    // Level 0 entries span 512 GiB; the address field of such a block starts at bit 39.
    expect(translate(tables, va(-1))).toMatchObject({ pa: 2 ** 39 - 1, leaf: { level: 0 } });
  });

  it('faults for addresses that TTBR1 does not cover', () => {
    const tables = memory(K4, {});
    expect(translate(tables, va(-(2 ** 48) - 1))).toEqual({ fault: 0 });
    expect(translate(tables, va(0x1000))).toEqual({ fault: 0 });
  });
});

describe('walkEntries', () => {
  it('goes through leaves and holes in order, at the level each ends at', () => {
    const tables = memory(K4, { [0x1000 + 8 * 256]: 0x2003n, 8192: 0x3003n, 12296: 0x40000701n });
    const entries = [...walkEntries(tables, { start: HALF, end: va(HALF + 3 * 2 ** 21) })];
    expect(entries.map(({ va: at, level, size, leaf }) => [at - HALF, level, size, leaf])).toEqual([
      [0, 2, 2 ** 21, false],
      [2 ** 21, 2, 2 ** 21, true],
      [2 ** 22, 2, 2 ** 21, false],
    ]);
    expect([...walkLeaves(tables, { start: HALF, end: va(0) })].map((leaf) => leaf.pa)).toEqual([0x40000000]);
  });
});
