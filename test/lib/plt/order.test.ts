import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RelocationError } from '../../../lib/errors.js';
import { pltFormatOf } from '../../../lib/plt/format.js';
import { orderForPlt } from '../../../lib/plt/order.js';
import { type RelaRecord, relaTable } from '../../support/relocation-case.js';

const TARGET = 3;
/** Symbols 0..3 are undefined, 4..7 lie in the section that is relocated. */
const symbols = { count: 8, shndx: (index: number) => (index < 4 ? 0 : TARGET) };
const since59 = { format: pltFormatOf({ major: 6, minor: 1 }), symbols, target: TARGET };
const before59 = { format: pltFormatOf({ major: 5, minor: 4 }), symbols, target: TARGET };

const [ADRP, JUMP26, CALL26] = [275, 282, 283];
const call = (symbol: number, addend = 0n, type = CALL26) => ({ type, symbol, addend });

/** The records that come out, by their place in `records`, which r_offset carries. */
function order(records: readonly Omit<RelaRecord, 'offset'>[], context = since59): number[] {
  const relas = relaTable(...records.map((record, index) => ({ ...record, offset: BigInt(index) })));
  const before = relas.words.slice();
  const ordered = orderForPlt(relas, context);
  expect(relas.words).toEqual(before);
  return Array.from({ length: ordered.count }, (_, index) => {
    const from = ordered.offset(index);
    expect([ordered.type(index), ordered.symbol(index), ordered.addend(index)]).toEqual([
      records[from]!.type,
      records[from]!.symbol ?? 0,
      records[from]!.addend ?? 0n,
    ]);
    return from;
  });
}

describe('orderForPlt since 5.9', () => {
  it('moves branches out of the section to the front and swaps the others behind, from both ends', () => {
    // Front stops at 0, 1 and 3; the ends offer 5, 4 and 3 in turn.
    expect(order([call(5), { type: ADRP }, call(3), call(6), call(2), call(1)])).toEqual([5, 4, 2, 3, 1, 0]);
  });

  it('sorts them by type, symbol and addend', () => {
    const records = [call(2, 4n), call(2, -4n), call(1), call(3, 0n, JUMP26), call(2), { type: ADRP }];
    expect(order(records)).toEqual([3, 2, 1, 4, 0, 5]);
  });

  it('compares addends as 64-bit numbers', () => {
    const addends = [1n << 32n, 0xffffffffn, -1n, -(1n << 63n), (1n << 63n) - 1n, 0n];
    expect(order([...addends.map((addend) => call(1, addend)), { type: ADRP }])).toEqual([3, 2, 5, 1, 0, 4, 6]);
  });

  it('leaves the last record out of the sort where all are such branches', () => {
    expect(order([call(3), call(2), call(1)])).toEqual([1, 0, 2]);
    expect(order([call(3), call(2), call(1), call(5)])).toEqual([2, 1, 0, 3]);
    expect(order([call(1)])).toEqual([0]);
    expect(order([])).toEqual([]);
  });

  it('puts the front where a list with holes would have it', () => {
    const record = fc.record({
      type: fc.constantFrom(JUMP26, CALL26, ADRP, 277),
      symbol: fc.nat({ max: 7 }),
      addend: fc.constantFrom(-1n, 0n, 4n),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), (records) => {
        const leaves = (index: number) => records[index]!.type >= JUMP26 && records[index]!.symbol < 4;
        const branches = records.map((_, index) => index).filter(leaves);
        // k branches end up in front: those that stand there stay, each hole takes the last branch that is left.
        const expected = records.map((_, index) => index);
        const behind = branches.filter((index) => index >= branches.length).reverse();
        const holes = expected.filter((index) => index < branches.length && !leaves(index));
        holes.forEach((hole, i) => {
          [expected[hole], expected[behind[i]!]] = [behind[i]!, hole];
        });
        const sorted = branches.length === records.length ? Math.max(records.length - 1, 0) : branches.length;
        const result = order(records);
        expect(result.slice(sorted)).toEqual(expected.slice(sorted));
        const keyed = (indices: number[]) =>
          indices.map((index) => [records[index]!.type, records[index]!.symbol, Number(records[index]!.addend)]);
        const byKey = (a: number[], b: number[]) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!;
        expect(keyed(result.slice(0, sorted))).toEqual(keyed(expected.slice(0, sorted)).sort(byKey));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a branch to a symbol that is not there', () => {
    expect(() => order([call(8), call(1)])).toThrow(RelocationError);
    expect(() => order([call(8), call(1)])).toThrow('relocation 0 names symbol 8 of 8');
  });
});

describe('orderForPlt before 5.9', () => {
  it('sorts every record, equal ones as the kernel’s heapsort leaves them', () => {
    const adrp = { type: ADRP, symbol: 5 };
    expect(order([call(5), call(1), { type: 0xffffffff }, adrp, adrp, adrp], before59)).toEqual([4, 5, 3, 1, 0, 2]);
  });
});
