import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RelocationError } from '../../../lib/errors.js';
import { countPltEntries, pltSectionSize } from '../../../lib/plt/count.js';
import { pltFormatOf } from '../../../lib/plt/format.js';
import { orderForPlt } from '../../../lib/plt/order.js';
import { type RelaRecord, relaTable } from '../../support/relocation-case.js';

const TARGET = 3;
/** Symbols 0..3 are undefined, 4 and 5 defined elsewhere, 6 and 7 in the section that is relocated. */
const symbols = { count: 8, shndx: (index: number) => (index < 4 ? 0 : index < 6 ? 9 : TARGET) };
const formatOf = (major: number, minor: number) => pltFormatOf({ major, minor });
const [ADRP, ADRP_NC, JUMP26, CALL26] = [275, 276, 282, 283];

function count(records: readonly RelaRecord[], format = formatOf(6, 1), erratum = false) {
  const context = { format, symbols, target: TARGET };
  return countPltEntries(orderForPlt(relaTable(...records), context), context, erratum);
}

const record = fc.record({
  offset: fc.nat({ max: 0x4000 }).map((x) => 4n * BigInt(x)),
  type: fc.constantFrom(JUMP26, CALL26, CALL26, CALL26, ADRP, ADRP_NC, 277),
  symbol: fc.nat({ max: 7 }),
  addend: fc.constantFrom(0n, 0n, 0n, 8n),
});

/** A set of what may be shared, and a counter for what may not. */
function naiveCount(records: readonly RelaRecord[], leaves: (symbol: number) => boolean): number {
  const branches = records.filter(({ type, symbol }) => type >= JUMP26 && leaves(symbol!));
  const shared = new Set(branches.filter(({ addend }) => addend === 0n).map(({ type, symbol }) => `${type} ${symbol}`));
  return shared.size + branches.filter(({ addend }) => addend !== 0n).length;
}

describe('countPltEntries', () => {
  it('counts each destination outside of the section once, and every branch with an addend', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        // A record that is no branch keeps the last one in the sort.
        const all = [...records, { offset: 0n, type: 277 }];
        expect(count(all)).toEqual({ entries: naiveCount(all, (symbol) => symbol < 6), alignment: 1 });
        expect(count(all, formatOf(5, 4)).entries).toBe(naiveCount(all, (symbol) => symbol < 6));
        expect(count(all, formatOf(4, 9)).entries).toBe(naiveCount(all, (symbol) => symbol < 4));
      }),
      { numRuns: 500 },
    );
  });

  it('counts the last branch of a section that holds nothing else once more, as it is not sorted in', () => {
    const call = (symbol: number) => ({ offset: 0n, type: CALL26, symbol });
    expect(count([call(1), call(2), call(1)]).entries).toBe(3);
    expect(count([call(1), call(2), call(2)]).entries).toBe(2);
    expect(count([call(1), call(2), call(1)], formatOf(5, 4)).entries).toBe(2);
  });

  it('takes a jump and a call to the same function for two', () => {
    const to1 = (type: number) => ({ offset: 0n, type, symbol: 1 });
    expect(count([to1(CALL26), to1(JUMP26), to1(CALL26), { offset: 0n, type: 277 }]).entries).toBe(2);
  });

  it('sees addends that are only in the high half', () => {
    const far = { offset: 0n, type: CALL26, symbol: 1, addend: 1n << 32n };
    expect(count([far, far, { offset: 0n, type: 277 }]).entries).toBe(2);
  });

  it('refuses a branch to a symbol that is not there', () => {
    expect(() => count([{ offset: 0n, type: CALL26, symbol: 8 }])).toThrow(RelocationError);
  });
});

describe('countPltEntries with erratum 843419', () => {
  const adrp = (offset: bigint, type = ADRP) => ({ offset, type, symbol: 1 });
  const calls = (length: number) =>
    Array.from({ length }, (_, index) => ({ offset: 0n, type: CALL26, symbol: 1, addend: BigInt(4 * index + 4) }));

  it('counts the ADRPs that no alignment saves and aligns the section for the others', () => {
    expect(count([adrp(0xff8n), adrp(0x1ffcn, ADRP_NC), adrp(0n)], formatOf(6, 1), true)).toEqual({
      entries: 3,
      alignment: 16,
    });
    expect(count([adrp(0x8n), adrp(0x7f8n), adrp(0n)], formatOf(6, 1), true)).toEqual({ entries: 0, alignment: 4096 });
    expect(count([adrp(0xff8n)], formatOf(6, 1), false)).toEqual({ entries: 0, alignment: 1 });
  });

  it('adds an entry for every 341 begun', () => {
    expect(count([...calls(341), adrp(0n)], formatOf(6, 1), true).entries).toBe(342);
    expect(count([...calls(342), adrp(0n)], formatOf(6, 1), true).entries).toBe(344);
    expect(count([...calls(342), adrp(0n)], formatOf(6, 1), false).entries).toBe(342);
  });

  it('added none before 5.0, and no veneers before 4.17', () => {
    expect(count([adrp(0xff8n), adrp(8n)], formatOf(4, 19), true)).toEqual({ entries: 1, alignment: 32 });
    expect(count([adrp(0xff8n), adrp(8n)], formatOf(4, 14), true)).toEqual({ entries: 0, alignment: 1 });
  });
});

describe('pltSectionSize', () => {
  it('has room for one entry more since 4.12', () => {
    expect(pltSectionSize(formatOf(6, 1), 6)).toBe(84);
    expect(pltSectionSize(formatOf(6, 1), 0)).toBe(12);
    expect(pltSectionSize(formatOf(4, 19), 6)).toBe(112);
    expect(pltSectionSize(formatOf(4, 9), 6)).toBe(96);
  });
});
