import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatTable } from '../../../cli/output/table.js';

const HEAD = ['module', 'text', 'PLT'];
const ROWS = [
  ['libcrc32c', 'a text that is by far the widest', 4],
  ['xfs', 'short', 10627],
];

const widthOf = (table: string): number => Math.max(...table.split('\n').map((line) => line.length));
const whole = formatTable(HEAD, ROWS);

describe('formatTable', () => {
  it('sets text to the left, numbers to the right with their thousands, and ends no line with spaces', () => {
    expect(whole).toBe(
      [
        'module     text                                 PLT',
        'libcrc32c  a text that is by far the widest       4',
        'xfs        short                             10,627',
        '',
      ].join('\n'),
    );
  });

  it('leaves a table as it is that just fits', () => {
    expect(formatTable(HEAD, ROWS, widthOf(whole))).toBe(whole);
  });

  it('cuts the widest text, with an ellipsis, to fit', () => {
    const cut = formatTable(HEAD, ROWS, widthOf(whole) - 1);
    expect(cut).toBe(
      [
        'module     text                                PLT',
        'libcrc32c  a text that is by far the wide…       4',
        'xfs        short                            10,627',
        '',
      ].join('\n'),
    );
  });

  it('keeps eight columns of it in the narrowest terminal, and never cuts a number', () => {
    expect(formatTable(HEAD, ROWS, 1).split('\n')[1]).toBe('libcrc32c  a text …       4');
    expect(formatTable(['count'], [[1234567]], 3)).toBe('    count\n1,234,567\n');
  });

  it('fits any limit from the least width on', () => {
    const text = fc.string({ minLength: 20, maxLength: 60, unit: fc.constantFrom('a', 'b', '-') });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.nat()), { minLength: 1, maxLength: 5 }), fc.nat(100), (rows, limit) => {
        const table = formatTable(['name', 'count'], rows, limit);
        const least = widthOf(formatTable(['name', 'count'], rows, 0));
        expect(widthOf(table)).toBe(Math.max(least, Math.min(limit, widthOf(formatTable(['name', 'count'], rows)))));
      }),
    );
  });

  it('shows control characters of a name instead of sending them to the terminal', () => {
    expect(formatTable(['name'], [['a\u001b[31mb']])).toBe('name\na\\x1b[31mb\n');
  });
});
