import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { DESCRIPTOR } from '../../../lib/mmu/descriptor.js';
import { mappingUnits, planLeaves } from '../../../lib/mmu/leaf-run.js';
import { mappingRule } from '../../../lib/mmu/mapping-rule.js';
import { changeLeaves, populate } from '../../../lib/mmu/population.js';
import { ptdump } from '../../../lib/mmu/ptdump.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';

const MIB = 2 ** 20;
const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
const BASE = va(-(2 ** 47));
const NORMAL = DESCRIPTOR.AF | DESCRIPTOR.SHARED | DESCRIPTOR.UXN;
const RW = NORMAL | DESCRIPTOR.DBM | DESCRIPTOR.PXN;
const RO = NORMAL | DESCRIPTOR.RDONLY | DESCRIPTOR.PXN;
const ROX = NORMAL | DESCRIPTOR.RDONLY;
const { memoryTypes } = mappingRule('6.12');

function tablesWith(...parts: [offset: number, size: number, leaf: bigint][]): TableSet {
  const tables = new TableSet({ regime, root: 0 });
  const units = mappingUnits(regime, { blocks: [1, 2], contiguous: [2, 3] });
  for (const [offset, size, leaf] of parts) {
    populate(tables, planLeaves(regime, { va: va(BASE + offset), pa: 2 ** 30 + offset, size }, units), {
      leaf,
      table: 0n,
    });
  }
  return tables;
}

const dump = (tables: TableSet, size: number, more = {}): string[] =>
  ptdump(tables, { start: BASE, end: va(BASE + size), memoryTypes, ...more }).split('\n');

describe('ptdump', () => {
  it('prints the columns of the kernel, character by character', () => {
    const tables = tablesWith(
      [0, 0x11000, RW],
      [0x11000, 2 * MIB - 0x11000, ROX | DESCRIPTOR.NG],
      [2 * MIB, 6 * MIB, RO],
    );
    expect(dump(tables, 8 * MIB)).toEqual([
      '0xffff800000000000-0xffff800000010000          64K PTE       RW NX SHD AF    CON     UXN    MEM/NORMAL',
      '0xffff800000010000-0xffff800000011000           4K PTE       RW NX SHD AF            UXN    MEM/NORMAL',
      '0xffff800000011000-0xffff800000020000          60K PTE       ro x  SHD AF NG         UXN    MEM/NORMAL',
      '0xffff800000020000-0xffff800000200000        1920K PTE       ro x  SHD AF NG CON     UXN    MEM/NORMAL',
      '0xffff800000200000-0xffff800000800000           6M PMD       ro NX SHD AF        BLK UXN    MEM/NORMAL',
      '',
    ]);
  });

  it('prints guarded pages, user pages and what is not shared', () => {
    const user = 1n << 6n;
    const tables = tablesWith([0, 4096, (ROX | DESCRIPTOR.GP | user) & ~DESCRIPTOR.SHARED & ~DESCRIPTOR.UXN]);
    expect(dump(tables, 4096)[0]).toBe(
      '0xffff800000000000-0xffff800000001000           4K PTE   USR ro x      AF                GP MEM/NORMAL',
    );
  });

  it('merges over gaps of physical memory and over bits it does not print, not over those it does', () => {
    const tables = new TableSet({ regime, root: 0 });
    const units = mappingUnits(regime, { blocks: [], contiguous: [] });
    const words = [RW, RW | DESCRIPTOR.DIRTY, RW & ~DESCRIPTOR.DBM, RW & ~DESCRIPTOR.AF];
    words.forEach((leaf, i) => {
      const range = { va: va(BASE + i * 4096), pa: 2 ** 30 - i * 2 ** 20, size: 4096 };
      populate(tables, planLeaves(regime, range, units), { leaf, table: 0n });
    });
    expect(dump(tables, 16384).map((line) => line.slice(38))).toEqual([
      '         12K PTE       RW NX SHD AF            UXN    MEM/NORMAL',
      '          4K PTE       RW NX SHD               UXN    MEM/NORMAL',
      '',
    ]);
  });

  it('prints holes without attributes, at the level they end at, and tells freed pages from freed blocks', () => {
    const tables = tablesWith([0, 4096, RW], [2 * MIB, 2 * MIB, RW], [2 ** 30, 2 ** 30, RW]);
    changeLeaves(tables, { start: va(BASE + 2 * MIB), end: va(BASE + 4 * MIB) }, undefined);
    expect(dump(tables, 2 ** 40).map((line) => line.slice(38))).toEqual([
      '          4K PTE       RW NX SHD AF            UXN    MEM/NORMAL',
      '       2044K PTE',
      '       1022M PMD',
      '          1G PUD       RW NX SHD AF        BLK UXN    MEM/NORMAL',
      '        510G PUD',
      '        512G PGD',
      '',
    ]);
  });

  it('calls the root PGD at whatever level it is, and 5-level tables by all their names', () => {
    const short = translationRegime({ pageSize: 4096, vaBits: 39 });
    const tables = new TableSet({ regime: short, root: 0 });
    const all = { start: va(-(2 ** 39)), end: va(0), memoryTypes };
    expect(ptdump(tables, all)).toBe('0xffffff8000000000-0x0000000000000000         512G PGD\n');

    const long = new TableSet({ regime: translationRegime({ pageSize: 4096, vaBits: 52 }), root: 0 });
    const units = mappingUnits(long.regime, { blocks: [1], contiguous: [] });
    const block = planLeaves(long.regime, { va: va(-(2 ** 52)), pa: 0, size: 2 ** 30 }, units);
    populate(long, block, { leaf: RW & ~DESCRIPTOR.SHARED, table: 0n });
    expect(ptdump(long, { start: va(-(2 ** 52)), end: va(0), memoryTypes })).toBe(
      [
        '0xfff0000000000000-0xfff0000040000000           1G PUD       RW NX     AF        BLK UXN    MEM/NORMAL',
        '0xfff0000040000000-0xfff0008000000000         511G PUD',
        '0xfff0008000000000-0xfff1000000000000      261632G P4D',
        '0xfff1000000000000-0x0000000000000000        3840T PGD',
        '',
      ].join('\n'),
    );
  });

  it('heads regions with markers and cuts ranges there', () => {
    const tables = tablesWith([0, 4 * MIB, RW]);
    const markers = [
      { address: BASE, name: 'Linear Mapping start' },
      { address: va(BASE + 2 * MIB), name: 'Linear Mapping end' },
      { address: va(BASE + 2 * MIB), name: 'Modules start' },
      { address: va(BASE + 4 * MIB), name: 'Modules end' },
      { address: va(BASE + 6 * MIB), name: 'vmalloc() area' },
    ];
    expect(dump(tables, 4 * MIB, { markers }).map((line) => line.replace(/^0x\S+ +/, ''))).toEqual([
      '---[ Linear Mapping start ]---',
      '2M PMD       RW NX SHD AF        BLK UXN    MEM/NORMAL',
      '---[ Linear Mapping end ]---',
      '---[ Modules start ]---',
      '2M PMD       RW NX SHD AF        BLK UXN    MEM/NORMAL',
      '---[ Modules end ]---',
      '',
    ]);
  });

  it('names memory types by the kernel that made the tables', () => {
    const type = (version: string, index: bigint): string | undefined =>
      dump(tablesWith([0, 4096, RW | (index << 2n)]), 4096, {
        memoryTypes: mappingRule(version).memoryTypes,
      })[0]!.split('UXN   ')[1];
    expect(['5.4.278', '5.10', '6.1'].map((version) => type(version, 4n))).toEqual([
      ' MEM/NORMAL',
      ' DEVICE/nGnRnE',
      ' DEVICE/nGnRE',
    ]);
    expect(['5.4.278', '5.10', '6.1'].map((version) => type(version, 3n))).toEqual([
      ' MEM/NORMAL-NC',
      '',
      ' DEVICE/nGnRnE',
    ]);
  });
});
