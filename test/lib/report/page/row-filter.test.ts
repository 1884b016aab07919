import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Cell, compareCells, matchingRows, sortedRows } from '../../../../lib/report/page/row-filter.js';

const NAMES = ['sdb', 'sda10', 'sda2', 'SDA1'];
const cell = fc.oneof(fc.string(), fc.double({ noNaN: true }));

describe('sortedRows', () => {
  it('sorts names as a person does', () => {
    const sorted = sortedRows(NAMES.length, (row) => NAMES[row]!, 'ascending').map((row) => NAMES[row]);
    expect(sorted).toEqual(['SDA1', 'sda2', 'sda10', 'sdb']);
  });

  it('is a permutation in order, equal rows in the order they had, in both directions', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 50 }), fc.boolean(), (cells, up) => {
        const rows = sortedRows(cells.length, (row) => cells[row]!, up ? 'ascending' : 'descending');
        expect(rows.toSorted((a, b) => a - b)).toEqual(cells.map((_, row) => row));
        for (let i = 1; i < rows.length; i++) {
          const [before, after] = [rows[i - 1]!, rows[i]!];
          const order = compareCells(cells[before]!, cells[after]!) * (up ? 1 : -1);
          expect(order < 0 || (order === 0 && before < after)).toBe(true);
        }
      }),
    );
  });

  it('puts numbers before text, by value', () => {
    const cells: Cell[] = ['9', 10, 9, -0.5];
    expect(sortedRows(4, (row) => cells[row]!, 'ascending')).toEqual([3, 2, 1, 0]);
  });
});

describe('matchingRows', () => {
  const texts = ['xfs 0xffff8000 note', 'ext4 0xffff9000 error', 'XFS error'];
  const match = (query: string) => matchingRows([0, 1, 2], (row) => texts[row]!, query);

  it('wants every word, in any case and order', () => {
    expect(match('xfs')).toEqual([0, 2]);
    expect(match('error XFS')).toEqual([2]);
    expect(match('  ')).toEqual([0, 1, 2]);
    expect(match('nfs')).toEqual([]);
  });

  it('takes characters of patterns as they are', () => {
    expect(match('.*')).toEqual([]);
    expect(matchingRows([0], () => 'a.*b', '.*')).toEqual([0]);
  });

  it('keeps the order it was given', () => {
    expect(matchingRows([2, 0, 1], (row) => texts[row]!, 'x')).toEqual([2, 0, 1]);
  });
});
