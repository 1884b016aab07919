/** Which rows of a table are shown, and in which order: sorting and searching without a document. */

export type Cell = string | number;

export type Order = 'ascending' | 'descending';

/** Numbers by value and before text, text as a person sorts it: `sda2` before `sda10`. */
const COLLATOR = new Intl.Collator('en', { numeric: true });

export function compareCells(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number') return -1;
  return typeof b === 'number' ? 1 : COLLATOR.compare(a, b);
}

/** Indexes of rows in the order of one column; equal cells stay in the order of the rows. */
export function sortedRows(count: number, cell: (row: number) => Cell, order: Order): number[] {
  const rows = Array.from({ length: count }, (_, row) => row);
  const cells = rows.map(cell);
  const sign = order === 'ascending' ? 1 : -1;
  return rows.sort((a, b) => sign * compareCells(cells[a]!, cells[b]!) || a - b);
}

/** Rows in which every word of the query occurs, in whatever case and cell. */
export function matchingRows(
  rows: readonly number[],
  textOf: (row: number) => string,
  query: string,
): readonly number[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
