import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openElf } from '../../../lib/elf/file.js';
import { openRelaTable, RelaTable } from '../../../lib/elf/rela-table.js';
import { buildElf, buildRelas } from '../../support/elf-builder.js';
import { codeOf } from '../../support/thrown.js';

const record = fc.record({
  offset: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
  type: fc.nat(2 ** 32 - 1),
  symbol: fc.nat(2 ** 32 - 1),
  addend: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
});

const open = (section: { data: Uint8Array; entsize?: bigint; size?: bigint }) =>
  openRelaTable(
    openElf(buildElf({ sections: [{ name: '.rela.text', type: 4, entsize: 24n, ...section }] }), [1]).sections[1]!,
  );

describe('RelaTable', () => {
  it('reads every field of every record, addends to all 64 bits', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const table = open({ data: buildRelas(records) });
        const read = Array.from({ length: table.count }, (_, i) => ({
          offset: BigInt(table.offset(i)),
          type: table.type(i),
          symbol: table.symbol(i),
          addend: table.addend(i),
        }));
        expect(read).toEqual(records);
      }),
    );
  });

  it('never rounds an offset of 2^53 or more down to one that could lie in a section', () => {
    for (const offset of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      expect(new RelaTable(buildRelas([{ offset, type: 257 }])).offset(0)).toBeGreaterThanOrEqual(2 ** 53);
    }
  });

  it('copies the records, from any alignment and any kind of array', () => {
    const bytes = buildRelas([{ offset: 8n, type: 283, symbol: 3, addend: -4n }]);
    for (let shift = 0; shift < 8; shift++) {
      const buffer = Buffer.alloc(64);
      buffer.set(bytes, shift);
      const table = new RelaTable(buffer.subarray(shift, shift + 24));
      buffer.fill(0xff);
      expect([table.count, table.offset(0), table.type(0), table.symbol(0), table.addend(0)]).toEqual([
        1,
        8,
        283,
        3,
        -4n,
      ]);
    }
  });

  it('refuses entries of another size and half a record', () => {
    const data = buildRelas([{ offset: 0n, type: 257 }]);
    expect(codeOf(() => open({ data, entsize: 16n }))).toBe('BAD_SECTION');
    expect(codeOf(() => open({ data, size: 23n }))).toBe('BAD_SECTION');
    expect(open({ data }).count).toBe(1);
  });
});
