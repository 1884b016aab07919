/** A mapping as tracks to draw, and its entries by kind. */
import type { MappedRun, StageMapping } from '../report-data.js';
import { item, SEGMENT_TONE } from './address-space.js';
import { formatCount, formatSize } from './quantity.js';
import type { StripItem, Track } from './strip-drawing.js';

export const sizeOf = ({ entrySize, count }: MappedRun): number => entrySize * count;

export const kindOf = ({ entrySize, contiguous }: MappedRun): string =>
  `${formatSize(entrySize)}${contiguous ? ' CONT' : ''}`;

/** Page, member of a contiguous group, or block. */
function toneOf({ entrySize, contiguous }: MappedRun, pageSize: number): string {
  if (contiguous) return 'contiguous';
  return entrySize > pageSize ? 'block' : 'page';
}

/** @param base the address that offsets count from */
export function mappingTracks(
  { runs, segments }: StageMapping,
  { base, pageSize }: { readonly base: number; readonly pageSize: number },
): Track[] {
  const entries = runs.map((run): StripItem => {
    const range = { start: base + run.offset, end: base + run.offset + sizeOf(run) };
    const made = item(`${formatCount(run.count)} \u00d7 ${kindOf(run)}`, toneOf(run, pageSize), range);
    return { ...made, facts: () => [...made.facts(), `${run.permissions}, physical ${run.phys}`] };
  });
  const parts = segments.map(({ name, start, end, permissions }): StripItem => {
    const tone = permissions === 'unmapped' ? 'unmapped' : (SEGMENT_TONE[name] ?? 'text');
    return item(`${name} ${permissions}`, tone, { start: base + start, end: base + end });
  });
  return [
    { name: 'Segments', items: parts },
    { name: 'Entries', items: entries },
  ];
}

/** All entries of one size, contiguous or not. */
export interface EntryKind {
  readonly kind: string;
  readonly tone: string;
  readonly bytes: number;
  readonly entries: number;
}

export function entryKinds(runs: readonly MappedRun[], pageSize: number): EntryKind[] {
  const kinds = new Map<string, EntryKind>();
  for (const run of runs) {
    const kind = kindOf(run);
    const { bytes = 0, entries = 0 } = kinds.get(kind) ?? {};
    const tone = toneOf(run, pageSize);
    kinds.set(kind, { kind, tone, bytes: bytes + sizeOf(run), entries: entries + run.count });
  }
  return [...kinds.values()];
}
