/** How the image of the first boot is mapped: segments, and the size of the entries that map them. */
import { barX, ruleX, text } from '@observablehq/plot';
import type { MappedRun, StageMapping } from '../report-data.js';
import { hull } from './address-space.js';
import { Chart } from './chart.js';
import type { Context } from './context.js';
import { DataTable } from './data-table.js';
import { element } from './element.js';
import { hexAddress } from './hex-range.js';
import { type EntryKind, entryKinds, kindOf, mappingTracks, sizeOf } from './mapping-track.js';
import { formatCount, formatOffset, formatSize } from './quantity.js';
import { folded, type Section, section } from './section.js';
import { Strip } from './strip.js';

const STAGE: Readonly<Record<StageMapping['stage'], string>> = {
  early: 'while booting, at __primary_switched',
  final: 'after boot, read-only data protected, init memory freed',
};

const LEGEND = [
  { tone: 'page', name: 'pages' },
  { tone: 'contiguous', name: 'contiguous groups' },
  { tone: 'block', name: 'blocks' },
  { tone: 'unmapped', name: 'not mapped' },
];

export function mappingSection({ data, text: base }: Context): Section {
  const { chosen, kernel } = data;
  const which = chosen === 'demonstration' ? 'the demonstration boot' : 'the boot asked for';
  const about = `The image of ${which}, at physical address ${kernel.phys}. CONT: a group of entries that the CPU may cache as one.`;
  return section({ id: 'mapping', title: 'Mapping', about }, data.mapping, (stages) => {
    const { pageSize } = kernel;
    const tracks = stages.map((stage) => mappingTracks(stage, { base, pageSize }));
    const whole = hull(tracks.flatMap((both) => both.flatMap(({ items }) => items)))!;
    const strip = new Strip({
      label: 'mapping of the image, to scale',
      bounds: { ...whole, leastSpan: pageSize },
      overview: tracks.at(-1)![0]!.items,
      legend: LEGEND,
      presets: [{ name: 'Everything', range: () => whole }],
    });
    const chart = new Chart('Bytes mapped by entries of each size');
    const tables = element('div');
    const show = (index: number): void => {
      const { runs } = stages[index]!;
      strip.setTracks(tracks[index]!);
      const kinds = entryKinds(runs, pageSize);
      chart.show(() => kindPlot(kinds));
      tables.replaceChildren(runTable(runs, base).element);
    };
    show(stages.length - 1);
    return [stageControl(stages, show), strip.element, chart.element, folded('Entries as a table', tables, true)];
  });
}

function stageControl(stages: readonly StageMapping[], show: (index: number) => void): HTMLElement {
  const choices = stages.map(({ stage, tables }, index) => {
    const input = element('input', {
      type: 'radio',
      name: 'stage',
      value: stage,
      checked: index === stages.length - 1,
    });
    input.addEventListener('change', () => show(index));
    return element('label', {}, input, ` ${STAGE[stage]} (${formatCount(tables)} tables)`);
  });
  return element('fieldset', { class: 'controls' }, element('legend', { class: 'hidden' }, 'stage'), ...choices);
}

function kindPlot(kinds: readonly EntryKind[]) {
  const label = ({ bytes, entries }: EntryKind): string => `${formatSize(bytes)} in ${formatCount(entries)} entries`;
  const mebibytes = ({ bytes }: EntryKind): number => bytes / 2 ** 20;
  return {
    height: 50 + kinds.length * 28,
    marginBottom: 40,
    marginLeft: 110,
    marginRight: 200,
    x: { label: 'MiB', grid: true, zero: true },
    y: { label: null, domain: kinds.map(({ kind }) => kind) },
    marks: [
      barX(kinds, { y: 'kind', x: mebibytes, fill: ({ tone }: EntryKind) => `var(--tone-${tone})` }),
      text(kinds, { y: 'kind', x: mebibytes, text: label, textAnchor: 'start', dx: 5 }),
      ruleX([0]),
    ],
  };
}

function runTable(runs: readonly MappedRun[], base: number): DataTable {
  const run = (row: number): MappedRun => runs[row]!;
  const offset = (row: number): number => run(row).offset;
  return new DataTable({
    caption: 'entries that map the image',
    count: runs.length,
    columns: [
      { name: 'From _text', kind: 'code', cell: offset, text: (row) => formatOffset(offset(row)) },
      { name: 'Virtual', kind: 'code', cell: offset, text: (row) => hexAddress(base + offset(row)) },
      { name: 'Physical', kind: 'code', cell: (row) => run(row).phys },
      { name: 'Size', kind: 'number', cell: (row) => sizeOf(run(row)), text: (row) => formatSize(sizeOf(run(row))) },
      { name: 'Entries', kind: 'number', cell: (row) => run(row).count },
      { name: 'of', kind: 'number', cell: (row) => run(row).entrySize, text: (row) => kindOf(run(row)) },
      { name: 'Permissions', kind: 'text', cell: (row) => run(row).permissions },
    ],
  });
}
