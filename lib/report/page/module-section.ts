/** Modules and their PLT entries: how many each reserves, needs in this boot, and needs over all placements. */
import { axisY, barX, dot, link, rectY, ruleX, ruleY, tickX } from '@observablehq/plot';
import { binsOf } from '../distribution.js';
import { type Distribution, isMissing, type ModuleColumns, type PltColumns } from '../report-data.js';
import { Chart } from './chart.js';
import { type Context, NOT_LOADED } from './context.js';
import { DataTable } from './data-table.js';
import { element } from './element.js';
import { moduleTable, refusedTable } from './module-table.js';
import { formatCount, formatShare } from './quantity.js';
import { factList, folded, type Section, section } from './section.js';

/** Rows of the table that are drawn. */
const DRAWN_ROWS = 20;

export function moduleSection(context: Context): Section {
  const about =
    'Calls out of reach of a branch go through the module\u2019s PLT. Entries are reserved when a module is loaded and used as its placement needs. \u201cAll placements\u201d counts every one the kernel can draw, each module alone; a boot loads them one after another.';
  return section({ id: 'modules', title: 'Modules and PLT entries', about }, context.data.modules, (modules) => {
    const { plts } = context.data;
    if (isMissing(plts)) {
      return [
        element('p', { class: 'missing' }, `PLT entries over placements: ${plts.missing}`),
        ...tables(context, modules),
      ];
    }
    return [summary(modules, plts), ...charts(context, modules, plts)];
  });
}

function tables(context: Context, modules: ModuleColumns, onRows?: (rows: readonly number[]) => void): HTMLElement[] {
  const table = moduleTable(context, modules, onRows);
  context.boot.onChange(() => table.refresh());
  context.module.onChange((index) => table.mark(index));
  const { refused } = modules;
  return [
    folded(`Modules as a table`, table.element, true),
    ...(refused.length > 0
      ? [folded(`${formatCount(refused.length)} files that the kernel would refuse`, refusedTable(refused), false)]
      : []),
  ];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function summary({ names, reserved, branches }: ModuleColumns, { total }: PltColumns): HTMLElement {
  return factList([
    ['Modules', formatCount(names.length)],
    ['Branches', formatCount(sum(branches))],
    ['PLT entries reserved', formatCount(sum(reserved))],
    ['Used, fewest', formatCount(total.min)],
    ['Used, mean', formatCount(Math.round(total.mean))],
    ['Used, most', formatCount(total.max)],
    ['Placements that need none', formatShare(total.none)],
  ]);
}

function charts(context: Context, modules: ModuleColumns, plts: PltColumns): HTMLElement[] {
  const { boot, module } = context;
  const total = new Chart('All modules: how likely each number of PLT entries is');
  const one = new Chart('One module: how likely each number of PLT entries is');
  const ranks = new Chart(
    'The first modules of the table: entries reserved (bar), least to most used (line), mean (dot), this boot (mark)',
  );
  let rows: readonly number[] = [];
  const usedIn = (index: number): number | undefined => {
    const used = context.used(index);
    return used === NOT_LOADED ? undefined : used;
  };
  const drawBoot = (): void => {
    total.show(() => distributionPlot(plts.total.distribution, context.usedTotal()));
    ranks.show(() => rankPlot(rows.slice(0, DRAWN_ROWS), { modules, plts, usedIn }));
  };
  const drawModule = (): void => {
    const index = module.value ?? largest(modules);
    const label = `${modules.names[index]}: how likely each number of PLT entries is`;
    one.show(() => distributionPlot(plts.distributions[index]!, usedIn(index)), label);
  };
  boot.onChange(() => {
    drawBoot();
    drawModule();
  });
  module.onChange(drawModule);
  drawModule();
  const onRows = (shown: readonly number[]): void => {
    rows = shown;
    drawBoot();
  };
  const listed = tables(context, modules, onRows);
  return [
    element('div', { class: 'pair' }, total.element, one.element),
    ranks.element,
    ...listed,
    folded('The distribution of all modules as a table', distributionTable(plts.total.distribution), false),
  ];
}

const largest = ({ reserved }: ModuleColumns): number => reserved.indexOf(Math.max(...reserved));

function distributionPlot(distribution: Distribution, used: number | undefined) {
  const bins = binsOf(distribution);
  return {
    height: 220,
    marginBottom: 40,
    marginLeft: 50,
    x: { label: 'PLT entries' },
    y: { label: 'share of placements', grid: true, percent: true },
    marks: [
      rectY(bins, {
        x1: 'from',
        x2: 'to',
        y: 'share',
        fill: 'var(--tone-module)',
        title: ({ from, to, share }: (typeof bins)[number]) =>
          `${to - from === 1 ? formatCount(from) : `${formatCount(from)} to ${formatCount(to - 1)}`} entries\n${formatShare(share)}`,
        tip: true,
      }),
      ruleY([0]),
      ...(used === undefined ? [] : [ruleX([used + 0.5], { stroke: 'var(--accent)', strokeWidth: 2 })]),
    ],
  };
}

interface RankContext {
  readonly modules: ModuleColumns;
  readonly plts: PltColumns;
  readonly usedIn: (index: number) => number | undefined;
}

function rankPlot(rows: readonly number[], { modules, plts, usedIn }: RankContext) {
  const nameOf = (row: number): string => modules.names[row]!;
  const boots = rows.filter((row) => usedIn(row) !== undefined);
  return {
    height: 60 + rows.length * 17,
    marginBottom: 40,
    marginLeft: 190,
    x: { label: 'PLT entries', grid: true, zero: true },
    y: { label: null, domain: rows.map(nameOf) },
    marks: [
      axisY({ label: null, tickSize: 0, lineWidth: 14, textOverflow: 'ellipsis' }),
      barX(rows, { y: nameOf, x: (row: number) => modules.reserved[row]!, fill: 'var(--track)' }),
      link(rows, {
        x1: (row: number) => plts.min[row]!,
        x2: (row: number) => plts.max[row]!,
        y: nameOf,
        stroke: 'var(--tone-module)',
        strokeWidth: 3,
      }),
      dot(rows, { y: nameOf, x: (row: number) => plts.mean[row]!, fill: 'var(--ink)', r: 3 }),
      tickX(boots, { y: nameOf, x: (row: number) => usedIn(row)!, stroke: 'var(--accent)', strokeWidth: 3, inset: -1 }),
    ],
  };
}

function distributionTable(distribution: Distribution): HTMLElement {
  const bins = binsOf(distribution);
  return new DataTable({
    caption: 'distribution of the PLT entries of all modules',
    count: bins.length,
    columns: [
      { name: 'Entries from', kind: 'number', cell: (row) => bins[row]!.from },
      { name: 'to', kind: 'number', cell: (row) => bins[row]!.to - 1 },
      {
        name: 'Share of placements',
        kind: 'number',
        cell: (row) => bins[row]!.share,
        text: (row) => formatShare(bins[row]!.share),
      },
    ],
  }).element;
}
