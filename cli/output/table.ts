/** Tables for a person; numbers are set to the right. */
import Table from 'cli-table3';
import { printable } from './print.js';

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

type Cell = string | number;

/** Narrower than this a column says nothing. */
const LEAST_WIDTH = 8;

const textOf = (cell: Cell): string => (typeof cell === 'number' ? cell.toLocaleString('en-US') : printable(cell));

/** Prints rows under a head; all rows have as many cells as the head. A file or pipe gets every character, a terminal what fits. */
export function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  process.stdout.write(formatTable(head, rows, process.stdout.isTTY ? process.stdout.columns : undefined));
}

/** The table's lines. Beyond `limit` columns the widest column of text is cut, with an ellipsis. */
export function formatTable(head: readonly string[], rows: readonly (readonly Cell[])[], limit = Infinity): string {
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const cells = rows.map((row) => row.map(textOf));
  const whole = layOut(head, cells, isNumber);
  const excess = Math.max(...whole.split('\n').map((line) => line.length)) - limit;
  if (excess <= 0) return whole;
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]!.length)));
  const widest = Math.max(...widths.filter((_, column) => !isNumber[column]));
  const cut = widths.findIndex((width, column) => width === widest && !isNumber[column]);
  const most = Math.min(widest, Math.max(widest - excess, LEAST_WIDTH));
  return layOut(
    head,
    cells,
    isNumber,
    widths.map((width, column) => (column === cut ? most : width)),
  );
}

function layOut(
  head: readonly string[],
  cells: readonly (readonly string[])[],
  isNumber: readonly boolean[],
  colWidths: number[] = [],
): string {
  const table = new Table({
    head: [...head],
    chars: NO_BORDER,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: isNumber.map((right) => (right ? 'right' : 'left')),
    colWidths,
  });
  table.push(...cells.map((row) => [...row]));
  return `${table.toString().replaceAll(/ +$/gm, '')}\n`;
}
