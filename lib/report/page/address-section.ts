/** The kernel's half of the address space, drawn to scale. */
import { parseVa } from '../../address.js';
import { isMissing } from '../report-data.js';
import { addressTracks, hull, imageItems, moduleItems, regionTracks, spaceItems } from './address-space.js';
import type { Context } from './context.js';
import { DataTable } from './data-table.js';
import { element } from './element.js';
import { hexAddress } from './hex-range.js';
import { formatSize } from './quantity.js';
import { folded, type Section, section } from './section.js';
import { Strip } from './strip.js';
import type { StripItem } from './strip-drawing.js';

const LEGEND = [
  { tone: 'linear', name: 'linear map' },
  { tone: 'vmalloc', name: 'vmalloc' },
  { tone: 'vmemmap', name: 'vmemmap' },
  { tone: 'window', name: 'where modules may go' },
  { tone: 'region', name: 'where they go in this boot' },
  { tone: 'text', name: 'text' },
  { tone: 'rodata', name: 'read-only data' },
  { tone: 'init', name: 'init, read-only after it' },
  { tone: 'data', name: 'data' },
  { tone: 'module', name: 'module' },
];

const LEAST_SPAN = 4096;
/** A view that shows more than this share of everything stays where it is when the image moves. */
const WIDE = 1 / 8;

export function addressSection(context: Context): Section {
  const { data, boot, module } = context;
  const spaces = spaceItems(data);
  const whole = hull(spaces)!;
  const strip = new Strip({
    label: 'address space of the kernel, to scale',
    bounds: { ...whole, leastSpan: LEAST_SPAN },
    overview: spaces,
    legend: LEGEND,
    presets: [
      { name: 'Everything', range: () => whole },
      { name: 'vmalloc', range: () => spaces.find(({ label }) => label === 'vmalloc') },
      { name: 'Kernel and modules', range: () => neighbourhood(context) },
      { name: 'Modules', range: () => hull(moduleItems(context)) },
      { name: 'Image', range: () => hull(imageItems(context)) },
    ],
  });
  const table = regionTable(context, strip);
  let text = context.text;
  boot.onChange(() => {
    strip.setTracks(addressTracks(context));
    if (strip.span < (whole.end - whole.start) * WIDE) strip.shift(context.text - text);
    text = context.text;
    table.replaceChildren(regionTable(context, strip));
  });
  module.onChange((index) => {
    const range = index === undefined ? undefined : hull(blocksOf(context, index));
    if (range) strip.show(range);
  });
  strip.setTracks(addressTracks(context));
  strip.show(neighbourhood(context));
  const about =
    'To scale: what is narrower than a pixel is drawn as one. Drag to move, double-click or hold Ctrl and turn the wheel to zoom; the slider above moves to another boot.';
  return section({ id: 'address-space', title: 'Address space', about }, {}, () => [
    finder(context, strip),
    strip.element,
    folded('Regions as a table', table, false),
  ]);
}

/** The image and the first region modules may go to. */
function neighbourhood(context: Context): { start: number; end: number } {
  const regions = regionTracks(context).map(({ items }) => items[0]!);
  return hull([...imageItems(context), ...regions])!;
}

const blocksOf = (context: Context, index: number) => context.placed().filter((block) => block.module === index);

function regionTable(context: Context, strip: Strip): HTMLElement {
  const named = regionTracks(context).flatMap(({ name, items }) =>
    items.map((item): StripItem => ({ ...item, label: `${name}: ${item.label}` })),
  );
  const images = imageItems(context).map((item): StripItem => ({ ...item, label: `image: ${item.label}` }));
  const rows = [...spaceItems(context.data), ...images, ...named];
  const table = new DataTable({
    caption: 'regions of the address space',
    count: rows.length,
    columns: [
      { name: 'Region', kind: 'text', cell: (row) => rows[row]!.label },
      { name: 'Start', kind: 'code', cell: (row) => rows[row]!.start, text: (row) => hexAddress(rows[row]!.start) },
      { name: 'End', kind: 'code', cell: (row) => rows[row]!.end, text: (row) => hexAddress(rows[row]!.end) },
      {
        name: 'Size',
        kind: 'number',
        cell: (row) => rows[row]!.end - rows[row]!.start,
        text: (row) => formatSize(rows[row]!.end - rows[row]!.start),
      },
    ],
    pick: (row) => strip.show(rows[row]!),
  });
  return element('div', {}, table.element);
}

/** Goes to a module or an address, and says what is there. */
function finder(context: Context, strip: Strip): HTMLElement {
  const { modules } = context.data;
  const names = isMissing(modules) ? [] : modules.names;
  const input = element('input', {
    type: 'search',
    id: 'find',
    placeholder: 'xfs, or ffff800008000000',
    autocomplete: 'off',
  });
  const answer = element('output', { for: 'find' });
  const form = element('form', { class: 'controls finder', role: 'search' });
  form.append(
    element('label', { for: 'find' }, 'Find a module or an address'),
    input,
    element('button', {}, 'Show'),
    answer,
  );
  const find = (query: string): string => {
    const hex = /^(?:0x)?([0-9a-f]{9,16})$/i.exec(query)?.[1];
    if (hex) return showAddress(context, strip, `0x${hex}`);
    const wanted = query.replaceAll('-', '_');
    const index = [names.indexOf(wanted), names.findIndex((name) => name.startsWith(wanted))].find((i) => i >= 0);
    if (index === undefined) return `no module ${query}`;
    const range = hull(blocksOf(context, index));
    if (!range) return `${names[index]} found no room in this boot`;
    strip.show(range);
    return `${names[index]} at ${hexAddress(range.start)}`;
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const query = input.value.trim();
    answer.value = query === '' ? '' : find(query);
  });
  return form;
}

function showAddress(context: Context, strip: Strip, text: string): string {
  let address: number;
  try {
    address = parseVa(text, 'address');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (address >= 0) return `${text} is not in the kernel's half`;
  const found = addressTracks(context)
    .flatMap(({ items }) => items)
    .filter(({ start, end }) => start <= address && address < end);
  strip.show({ start: address - 2 ** 16, end: address + 2 ** 16 });
  return found.length === 0 ? `${text}: nothing known there` : `${text}: ${found.map(({ label }) => label).join(', ')}`;
}
