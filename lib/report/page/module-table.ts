/** The tables of modules. */
import { isMissing, type ModuleColumns } from '../report-data.js';
import { type Context, NOT_LOADED } from './context.js';
import { type Column, DataTable } from './data-table.js';
import { hexAddress } from './hex-range.js';
import { formatCount, formatShare, formatSize } from './quantity.js';

const NAME = 0;
const RESERVED = 2;

export function moduleTable(
  context: Context,
  { names, branches, reserved, blocks }: ModuleColumns,
  onRows?: (rows: readonly number[]) => void,
): DataTable {
  const { plts } = context.data;
  const memory = names.map((_, row) => blocks.reduce((sum, { sizes }) => sum + sizes[row]!, 0));
  const addressOf = (row: number): number => context.firstBlock(row)?.start ?? 0;
  const columns: Column[] = [
    { name: 'Module', kind: 'text', cell: (row) => names[row]! },
    { name: 'Branches', kind: 'number', cell: (row) => branches[row]! },
    { name: 'Reserved', kind: 'number', cell: (row) => reserved[row]! },
  ];
  if (!isMissing(plts)) {
    const { used, min, mean, max, none } = plts;
    if (!isMissing(used)) {
      const usedBy = (row: number): number => context.used(row) ?? NOT_LOADED;
      const text = (row: number): string => (usedBy(row) === NOT_LOADED ? 'not loaded' : formatCount(usedBy(row)));
      columns.push({ name: 'This boot', kind: 'number', cell: usedBy, text });
    }
    columns.push(
      { name: 'Fewest', kind: 'number', cell: (row) => min[row]! },
      { name: 'Mean', kind: 'number', cell: (row) => mean[row]!, text: (row) => mean[row]!.toFixed(1) },
      { name: 'Most', kind: 'number', cell: (row) => max[row]! },
      { name: 'Needs none', kind: 'number', cell: (row) => none[row]!, text: (row) => formatShare(none[row]!) },
    );
  }
  columns.push(
    { name: 'Memory', kind: 'number', cell: (row) => memory[row]!, text: (row) => formatSize(memory[row]!) },
    {
      name: 'Address',
      kind: 'code',
      cell: addressOf,
      text: (row) => (addressOf(row) === 0 ? 'no room' : hexAddress(addressOf(row))),
    },
  );
  return new DataTable({
    caption: 'modules',
    count: names.length,
    columns,
    sort: { column: RESERVED, order: 'descending' },
    pick: (row) => context.module.set(row),
    ...(onRows && { onRows }),
  });
}

export function refusedTable(refused: ModuleColumns['refused']): HTMLElement {
  return new DataTable({
    caption: 'files that the kernel would refuse',
    count: refused.length,
    columns: [
      { name: 'Module', kind: 'text', cell: (row) => refused[row]!.name },
      { name: 'Why', kind: 'text', cell: (row) => refused[row]!.reason },
    ],
    sort: { column: NAME, order: 'ascending' },
  }).element;
}
