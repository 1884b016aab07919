/** What lies where in a boot: the tracks of the picture and the rows of the table behind it. */
import { parseVa } from '../../address.js';
import { isMissing, type ReportData } from '../report-data.js';
import type { Extent } from './bar-layout.js';
import type { Context } from './context.js';
import { hexRange } from './hex-range.js';
import { formatSize } from './quantity.js';
import type { StripItem, Track } from './strip-drawing.js';

const SPACE_TONE: Readonly<Record<string, string>> = {
  'linear map': 'linear',
  modules: 'window',
  vmalloc: 'vmalloc',
  vmemmap: 'vmemmap',
};

export const SEGMENT_TONE: Readonly<Record<string, string>> = {
  head: 'head',
  text: 'text',
  rodata: 'rodata',
  'init text': 'init',
  'init data': 'init',
  data: 'data',
  image: 'text',
};

/** Names of the blocks a module is made of, by colour. */
const BLOCK_TONE: Readonly<Record<string, string>> = {
  core: 'module',
  text: 'text',
  data: 'data',
  rodata: 'rodata',
  ro_after_init: 'init',
};

const BRANCH_REACH = 2 ** 27;

export function item(label: string, tone: string, { start, end }: Extent): StripItem {
  return { label, tone, start, end, facts: () => [hexRange(start, end), formatSize(end - start)] };
}

const extentOf = (start: string, end: string): Extent => ({ start: parseVa(start, 'start'), end: parseVa(end, 'end') });

export function spaceItems({ space }: ReportData): StripItem[] {
  return space.map(({ name, start, end }) => item(name, SPACE_TONE[name] ?? 'linear', extentOf(start, end)));
}

export function imageItems({ data, text }: Context): StripItem[] {
  const { segments, kernel } = data;
  const parts = isMissing(segments) ? [{ name: 'image', start: 0, end: kernel.imageSize }] : segments;
  return parts.map(({ name, start, end }) => item(name, SEGMENT_TONE[name]!, { start: text + start, end: text + end }));
}

const reachName = (kind: string): string => (kind === 'direct' ? 'within reach of BL' : 'reached through PLT entries');

/** Where module regions may lie, then those of this boot. */
export function regionTracks({ chosenBoot }: Context): Track[] {
  const { windows, regions } = chosenBoot;
  return [
    ...windows.map(({ kind, lowest, end }, i) => ({
      name: `${i === 0 ? 'The module region is drawn from' : 'and its fallback from'}`,
      items: [item(`window, ${reachName(kind)}`, 'window', extentOf(lowest, end))],
    })),
    ...regions.map(({ kind, base, end }, i) => ({
      name: i === 0 ? 'Module region of this boot' : 'Fallback, when that is full',
      items: [item(`region, ${reachName(kind)}`, 'region', extentOf(base, end))],
    })),
  ];
}

export function moduleItems(context: Context): StripItem[] {
  const { modules } = context.data;
  if (isMissing(modules)) return [];
  const { names, blocks } = modules;
  return context
    .placed()
    .map(({ start, end, module, block }) => {
      const name = blocks[block]!.name;
      const label = name === 'core' ? names[module]! : `${names[module]} ${name}`;
      return item(label, BLOCK_TONE[name] ?? 'module', { start, end });
    })
    .sort((a, b) => a.start - b.start);
}

/** Everywhere from which a branch reaches all of the kernel's text without a PLT entry. */
function reachItems({ data, text }: Context): StripItem[] {
  const { segments, kernel } = data;
  const code = isMissing(segments) ? undefined : segments.find(({ name }) => name === 'text');
  const [first, last] = [code?.start ?? 0, code?.end ?? kernel.imageSize];
  const reach = { start: text + last - BRANCH_REACH, end: text + first + BRANCH_REACH };
  return reach.start < reach.end ? [item('every call is direct', 'reach', reach)] : [];
}

export function addressTracks(context: Context): Track[] {
  const modules = moduleItems(context);
  return [
    { name: 'Regions', items: spaceItems(context.data) },
    { name: 'Kernel image', items: imageItems(context) },
    { name: 'Within 128 MiB of all of the kernel\u2019s text', items: reachItems(context) },
    ...regionTracks(context),
    ...(modules.length > 0 ? [{ name: 'Modules', items: modules, joinedTone: 'module' }] : []),
  ];
}

/** From the first to the last of some items. */
export function hull(items: readonly Extent[]): Extent | undefined {
  if (items.length === 0) return undefined;
  return { start: Math.min(...items.map(({ start }) => start)), end: Math.max(...items.map(({ end }) => end)) };
}
