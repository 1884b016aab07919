/**
 * A table that sorts and searches.
 *
 * Rows appear a few at a time: thousands of rows at once cost a second of layout, and nobody reads them. Searching and sorting
 * always see all of them.
 */
import { button, element } from './element.js';
import { formatCount } from './quantity.js';
import { type Cell, matchingRows, type Order, sortedRows } from './row-filter.js';

export interface Column {
  readonly name: string;
  /** What is sorted by. */
  readonly cell: (row: number) => Cell;
  /** What is shown and searched; default: the cell, numbers with separators. */
  readonly text?: (row: number) => string;
  readonly kind: 'text' | 'number' | 'code';
}

export interface TableOptions {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly count: number;
  /** The column and order to begin with; default: the order of the rows. */
  readonly sort?: { readonly column: number; readonly order: Order };
  /** Makes the first cell of each row a button. */
  readonly pick?: (row: number) => void;
  /** Called with the rows that are shown first, whenever they change. */
  readonly onRows?: (rows: readonly number[]) => void;
}

const FIRST_ROWS = 50;
const MORE_ROWS = 500;
/** Fewer rows than this need no search. */
const SEARCHABLE = 8;

export class DataTable {
  readonly element: HTMLElement;
  readonly #options: TableOptions;
  readonly #body = element('tbody');
  readonly #status = element('output', { class: 'table-status' });
  readonly #more = element('span', { class: 'controls' });
  readonly #heads: HTMLTableCellElement[] = [];
  #sort: { column: number; order: Order } | undefined;
  #query = '';
  #limit = FIRST_ROWS;
  #rows: readonly number[] = [];
  #picked: number | undefined;

  constructor(options: TableOptions) {
    const { caption, count } = options;
    this.#options = options;
    this.#sort = options.sort;
    const table = element('table', {}, element('caption', { class: 'hidden' }, caption), this.#head(), this.#body);
    const region = element('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': caption }, table);
    const search = count >= SEARCHABLE ? this.#search() : undefined;
    const bar = element('div', { class: 'table-bar' }, search, this.#status, this.#more);
    this.element = element('div', { class: 'data-table' }, bar, region);
    this.refresh();
  }

  /** Reads all cells again. */
  refresh(): void {
    const { columns, count, onRows } = this.#options;
    const sort = this.#sort;
    const rows = sort
      ? sortedRows(count, columns[sort.column]!.cell, sort.order)
      : Array.from({ length: count }, (_, row) => row);
    this.#rows = matchingRows(rows, (row) => columns.map((column) => textOf(column, row)).join(' '), this.#query);
    this.#draw();
    onRows?.(this.#rows);
  }

  /** Marks a row as the one that is shown elsewhere. */
  mark(row: number | undefined): void {
    this.#picked = row;
    for (const line of this.#body.rows) line.toggleAttribute('aria-current', Number(line.dataset.row) === row);
  }

  /** Shows only what matches. */
  search(query: string): void {
    this.#query = query;
    this.#limit = FIRST_ROWS;
    this.refresh();
  }

  #search(): HTMLElement {
    const input = element('input', {
      type: 'search',
      placeholder: 'Search',
      'aria-label': `search: ${this.#options.caption}`,
    });
    input.addEventListener('input', () => this.search(input.value));
    return input;
  }

  #head(): HTMLTableSectionElement {
    const cells = this.#options.columns.map(({ name, kind }, column) => {
      const sort = button(name, () => this.#sortBy(column), { class: 'sort' });
      const cell = element('th', { scope: 'col', class: kind }, sort);
      this.#heads.push(cell);
      return cell;
    });
    this.#markOrder();
    return element('thead', {}, element('tr', {}, ...cells));
  }

  /** Numbers begin with the largest, text with the first of the alphabet. */
  #sortBy(column: number): void {
    const first: Order = this.#options.columns[column]!.kind === 'number' ? 'descending' : 'ascending';
    const other: Order = first === 'ascending' ? 'descending' : 'ascending';
    const isAgain = this.#sort?.column === column && this.#sort.order === first;
    this.#sort = { column, order: isAgain ? other : first };
    this.#markOrder();
    this.refresh();
  }

  #markOrder(): void {
    this.#heads.forEach((head, column) => {
      head.setAttribute('aria-sort', this.#sort?.column === column ? this.#sort.order : 'none');
    });
  }

  #draw(): void {
    const { count } = this.#options;
    this.#body.replaceChildren(...this.#rows.slice(0, this.#limit).map((row) => this.#line(row)));
    const total = this.#rows.length;
    const shown = Math.min(total, this.#limit);
    const matching = total === count ? '' : `, of ${formatCount(count)}`;
    this.#status.value =
      shown === total
        ? `${formatCount(total)} rows${matching}`
        : `${formatCount(shown)} of ${formatCount(total)} rows${matching}`;
    const show = (label: string, limit: number) =>
      button(label, () => {
        this.#limit = limit;
        this.#draw();
      });
    const rest = total - shown;
    this.#more.replaceChildren(
      ...(rest > MORE_ROWS ? [show(`${MORE_ROWS} more`, shown + MORE_ROWS)] : []),
      ...(rest > 0 ? [show('Show all', Number.POSITIVE_INFINITY)] : []),
    );
  }

  #line(row: number): HTMLTableRowElement {
    const { columns, pick } = this.#options;
    const cells = columns.map((column, i) => {
      const text = textOf(column, row);
      const content = i === 0 && pick ? button(text, () => pick(row), { class: 'pick' }) : text;
      return element(i === 0 ? 'th' : 'td', { class: column.kind, scope: i === 0 ? 'row' : undefined }, content);
    });
    return element('tr', { 'data-row': row, 'aria-current': row === this.#picked }, ...cells);
  }
}

function textOf({ cell, text }: Column, row: number): string {
  if (text) return text(row);
  const value = cell(row);
  return typeof value === 'number' ? formatCount(value) : value;
}
