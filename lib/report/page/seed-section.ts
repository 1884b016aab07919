/** What changes with the seed: the recorded boots side by side. */
import { dot, lineY, ruleX, ruleY, tickX } from '@observablehq/plot';
import { parseVa } from '../../address.js';
import { isMissing, type PltColumns } from '../report-data.js';
import { bootName } from './boot-control.js';
import { Chart } from './chart.js';
import type { Context } from './context.js';
import { type Column, DataTable } from './data-table.js';
import { formatCount, formatSize } from './quantity.js';
import { folded, type Section, section } from './section.js';

const TIB = 2 ** 40;
const GIB = 2 ** 30;

interface BootRow {
  readonly index: number;
  readonly seed: string;
  readonly text: number;
  readonly base: number | undefined;
  /** Of the module region from `_text`. */
  readonly distance: number | undefined;
  readonly plts: number | undefined;
}

function rowsOf({ data }: Context): BootRow[] {
  const used = isMissing(data.plts) || isMissing(data.plts.used) ? undefined : data.plts.used.totals;
  return data.boots.map(({ seed = '', text, regions }, index) => {
    const start = parseVa(text, '_text');
    const base = regions[0] && parseVa(regions[0].base, 'base');
    return {
      index,
      seed,
      text: start,
      base,
      distance: base === undefined ? undefined : base - start,
      plts: used?.[index],
    };
  });
}

export function seedSection(context: Context): Section {
  const { data, boot } = context;
  const rows = rowsOf(context);
  const image = new Chart('Where the image lies: a line for each boot, TiB above the start of vmalloc');
  const distance = new Chart(
    isMissing(data.plts)
      ? 'How far the module region begins from _text, in GiB: a line for each boot'
      : 'PLT entries of all modules by how far their region begins from _text, in GiB: each module alone (line), all loaded in each boot (dots)',
  );
  const table = bootTable(context, rows);
  const draw = (): void => {
    image.show(() => imagePlot(context, rows));
    distance.show(() => (isMissing(data.plts) ? distancePlot(context, rows) : pltPlot(context, rows, data.plts)));
    table.mark(boot.value);
  };
  boot.onChange(draw);
  draw();
  const first =
    data.chosen === 'demonstration' ? 'The first boot is a demonstration: its seed was given to no real one. ' : '';
  const about = `${first}The slider goes over ${data.boots.length - 1} boots drawn from the random stream \u201c${data.stream}\u201d: the same name gives the same boots to everyone.`;
  return section({ id: 'seed', title: 'What changes with the seed', about }, {}, () => [
    image.element,
    distance.element,
    folded('Boots as a table', table.element, true),
  ]);
}

function imagePlot({ data, boot }: Context, rows: readonly BootRow[]) {
  const vmalloc = data.space.find(({ name }) => name === 'vmalloc')!;
  const start = parseVa(vmalloc.start, 'start');
  const offsetOf = ({ text }: BootRow) => (text - start) / TIB;
  return {
    height: 74,
    x: { domain: [0, (parseVa(vmalloc.end, 'end') - start) / TIB], label: null },
    marks: [
      tickX(rows, { x: offsetOf, stroke: 'var(--muted)' }),
      ruleX([rows[boot.value]!], { x: offsetOf, stroke: 'var(--accent)', strokeWidth: 3 }),
    ],
  };
}

function distancePlot({ boot }: Context, rows: readonly BootRow[]) {
  const known = rows.filter((row) => row.distance !== undefined);
  const distanceOf = ({ distance = 0 }: BootRow) => distance / GIB;
  return {
    height: 74,
    x: { label: null, nice: true },
    marks: [
      tickX(known, { x: distanceOf, stroke: 'var(--muted)' }),
      ruleX(
        known.filter(({ index }) => index === boot.value),
        { x: distanceOf, stroke: 'var(--accent)', strokeWidth: 3 },
      ),
    ],
  };
}

function pltPlot({ boot }: Context, rows: readonly BootRow[], { byDistance, used }: PltColumns) {
  const { lowest, highest, totals } = byDistance;
  const line = totals.map((total, i) => ({
    x: (lowest + ((highest - lowest) * i) / (totals.length - 1)) / GIB,
    total,
  }));
  const first = Math.min(...rows.map(({ distance = lowest }) => distance), lowest) / GIB;
  // What is further away than the lowest distance is like it.
  if (first < line[0]!.x) line.unshift({ x: first, total: totals[0]! });
  const dots = isMissing(used) ? [] : rows.filter((row) => row.distance !== undefined);
  const at = { x: ({ distance = 0 }: BootRow) => distance / GIB, y: ({ plts = 0 }: BootRow) => plts };
  const title = (row: BootRow) => `boot ${row.index}\n${formatCount(row.plts ?? 0)} PLT entries`;
  return {
    height: 260,
    marginLeft: 60,
    x: { label: null },
    y: { label: 'PLT entries', zero: true, grid: true },
    marks: [
      ruleY([0]),
      lineY(line, { x: 'x', y: 'total', stroke: 'var(--tone-text)', strokeWidth: 2, curve: 'step' as const }),
      dot(dots, { ...at, r: 3.5, stroke: 'var(--ink)', strokeWidth: 1, fill: 'var(--surface)', title, tip: true }),
      dot(
        dots.filter(({ index }) => index === boot.value),
        { ...at, r: 6, fill: 'var(--accent)', stroke: 'var(--surface)' },
      ),
    ],
  };
}

function bootTable(context: Context, rows: readonly BootRow[]): DataTable {
  const { data, boot } = context;
  const has = (key: 'plts' | 'base'): boolean => rows.some((row) => row[key] !== undefined);
  const hex = (text: string | undefined): string => text ?? '';
  const columns: Column[] = [
    { name: 'Boot', kind: 'text', cell: (row) => row, text: (row) => bootName(data, row) },
    { name: 'Seed', kind: 'code', cell: (row) => rows[row]!.seed },
    { name: '_text', kind: 'code', cell: (row) => rows[row]!.text, text: (row) => data.boots[row]!.text },
  ];
  if (has('base')) {
    columns.push(
      {
        name: 'Modules from',
        kind: 'code',
        cell: (row) => rows[row]!.base ?? 0,
        text: (row) => hex(data.boots[row]!.regions[0]?.base),
      },
      {
        name: 'From _text',
        kind: 'number',
        cell: (row) => rows[row]!.distance ?? 0,
        text: (row) => formatSize(rows[row]!.distance ?? 0),
      },
    );
  }
  if (has('plts')) columns.push({ name: 'PLT entries', kind: 'number', cell: (row) => rows[row]!.plts ?? 0 });
  return new DataTable({ caption: 'boots', count: rows.length, columns, pick: (row) => boot.set(row) });
}
