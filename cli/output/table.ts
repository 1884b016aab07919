/** Tables for a person; numbers are set to the right. */
import Table from 'cli-table3';

const NOTHING = '';
const NO_BORDER = {
  top: NOTHING,
  'top-mid': NOTHING,
  'top-left': NOTHING,
  'top-right': NOTHING,
  bottom: NOTHING,
  'bottom-mid': NOTHING,
  'bottom-left': NOTHING,
  'bottom-right': NOTHING,
  left: NOTHING,
  'left-mid': NOTHING,
  mid: NOTHING,
  'mid-mid': NOTHING,
  right: NOTHING,
  'right-mid': NOTHING,
  middle: '  ',
};

/** Prints rows under a head; all rows have as many cells as the head. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const isNumber = (column: number): boolean => rows.length > 0 && rows.every((row) => typeof row[column] === 'number');
  const table = new Table({
    head: [...head],
    chars: NO_BORDER,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (isNumber(column) ? 'right' : 'left')),
  });
  for (const row of rows)
    table.push(row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)));
  process.stdout.write(`${table.toString().replaceAll(/ +$/gm, '')}\n`);
}
