/**
 * Distances where the image and the module region are drawn apart: the whole-vmalloc rule (4.6 to 4.16), and KASAN up to 5.x,
 * whose modules stay where they were linked to go. The base follows from 21 bits of the seed, the image from those above, so every
 * pair is as likely as the next.
 *
 * With 48 bits there are 2^46 pairs, but slots of the image are evenly spaced: what one base adds is a range of a column of
 * pages that far apart. Slots that are moved off a boundary repeat with the boundary, and are columns as well.
 */
import { boundarySize, imageOffset, type OffsetInput } from '../kaslr/image-offset.js';
import { IMAGE_ALIGN } from '../kaslr/layout.js';
import type { BaseRule, RegionInput } from '../kaslr/module-region.js';
import type { Machine } from '../kaslr/place.js';
import type { DistanceDistribution } from './distance-distribution.js';
import { baseOf, basesBelow, DRAWS } from './scaled-base.js';

/** Whether the region does not follow the image. */
export function imageDrifts({ era, kaslr, fullRegion, kasan }: RegionInput): boolean {
  if (!kaslr) return false;
  return kasan && era.kasanRule !== 'none' ? true : era.moduleRule === 'whole-vmalloc' && fullRegion;
}

export interface Drift {
  readonly region: RegionInput;
  readonly rule: BaseRule;
  /** Distances from `_text` up to this, on either side, are told apart. */
  readonly reach: number;
}

export function driftingWeights(
  machine: Machine,
  drift: Drift,
): Pick<DistanceDistribution, 'placements' | 'lowest' | 'highest' | 'sums'> {
  const { region, rule, reach } = drift;
  const bases = Float64Array.from({ length: rule.range === 0 ? 1 : DRAWS }, (_, random) =>
    baseOf(rule, random, region.pageSize),
  );
  const { count, runs } = imageSlots(machine, region);
  const weights = new Float64Array((2 * reach) / region.pageSize + 1);
  for (const run of runs) {
    if (run.count === 1) addPlace(weights, drift, { ...run, bases });
    else addRun(weights, drift, { ...run, bases });
  }
  const sums = new Float64Array(weights.length + 1);
  weights.forEach((weight, page) => {
    sums[page + 1] = sums[page]! + weight;
  });
  return { placements: count * bases.length, lowest: -reach, highest: reach, sums };
}

/** Places of the image, evenly spaced, and the weight of each. */
interface SlotRun {
  readonly first: number;
  readonly count: number;
  readonly spacing: number;
  readonly weight: number;
}

/** Adds each base at each place of the run to the weights by page; what lies outside counts on the first and the last page. */
function addRun(
  weights: Float64Array,
  { region, reach }: Drift,
  { first, count, spacing, weight, bases }: SlotRun & { readonly bases: Float64Array },
): void {
  const { pageSize } = region;
  const last = weights.length - 1;
  const stride = spacing / pageSize;
  // Changes of the weight along each column of pages 1, 2 ... last - 1.
  const changes = new Float64Array(last + stride);
  for (const base of bases) {
    const page = (base - first + reach) / pageSize;
    const column = page - 1 - Math.floor((page - 1) / stride) * stride + 1;
    const rows = Math.max(Math.ceil((last - column) / stride), 0);
    // The first place is met in the highest row.
    const end = (page - column) / stride + 1;
    const from = Math.min(Math.max(end - count, 0), rows);
    const to = Math.min(Math.max(end, 0), rows);
    weights[0]! += weight * Math.min(Math.max(count - end, 0), count);
    weights[last]! += weight * Math.min(Math.max(end - rows, 0), count);
    if (from >= to) continue;
    changes[column + from * stride]! += weight;
    if (column + to * stride < changes.length) changes[column + to * stride]! -= weight;
  }
  for (let page = 1; page < last; page++) {
    if (page > stride) changes[page]! += changes[page - stride]!;
    weights[page]! += changes[page]!;
  }
}

/** `addRun` for a run of one, which few bases are near to. */
function addPlace(
  weights: Float64Array,
  { region, rule, reach }: Drift,
  { first, weight, bases }: SlotRun & { readonly bases: Float64Array },
): void {
  const { pageSize } = region;
  const from = Math.min(basesBelow(rule, first - reach + pageSize, pageSize), bases.length);
  const to = Math.min(basesBelow(rule, first + reach, pageSize), bases.length);
  weights[0]! += weight * from;
  weights[weights.length - 1]! += weight * (bases.length - to);
  for (const base of bases.subarray(from, to)) weights[(base - first + reach) / pageSize]! += weight;
}

/** Where seeds put `_text`: every 2 MiB, and for those slots that are moved off a boundary less here and more there. */
function imageSlots(machine: Machine, region: RegionInput): { count: number; runs: SlotRun[] } {
  const { era, layout, linkBase, imageSize, displacement, kasan, pageSize } = region;
  const { geometry } = machine;
  const input: OffsetInput = { era, geometry, layout, linkBase, imageSize, displacement, kasan };
  const bits = era.imageRule === 'lower-half' ? geometry.vaBits : geometry.vaBitsMin;
  const slots = 2 ** (bits - 2) / IMAGE_ALIGN;
  const count = kasan && era.kasanRule === 'offset-within-2g' ? Math.min(slots, KASAN_SLOTS) : slots;
  const first = linkBase + imageOffset(1n, { ...input, era: { ...era, crossingRule: 'ignore' } });
  const runs: SlotRun[] = [{ first, count, spacing: IMAGE_ALIGN, weight: 1 }];
  if (era.crossingRule === 'ignore') return { count, runs };

  const spacing = boundarySize(pageSize);
  const period = spacing / IMAGE_ALIGN;
  // From the last boundaries an image can be moved around the end of the range.
  const regular = Math.max(count / period - Math.ceil(imageSize / spacing) - 1, 0);
  const addMoves = (slot: number, periods: number, changes: Map<number, number>): void => {
    // Bit 0 is used by none of the rules, and keeps the seed from being 0.
    const to = linkBase + imageOffset((BigInt(slot) * BigInt(IMAGE_ALIGN)) | 1n, input);
    const from = first + slot * IMAGE_ALIGN;
    if (to === from || periods === 0) return;
    changes.set(from, (changes.get(from) ?? 0) - 1);
    changes.set(to, (changes.get(to) ?? 0) + 1);
  };
  const repeated = new Map<number, number>();
  for (let slot = 0; slot < period; slot++) addMoves(slot, regular, repeated);
  const single = new Map<number, number>();
  for (let slot = regular * period; slot < count; slot++) addMoves(slot, 1, single);
  for (const [start, weight] of repeated) runs.push({ first: start, count: regular, spacing, weight });
  for (const [start, weight] of single) runs.push({ first: start, count: 1, spacing, weight });
  return { count, runs: runs.filter(({ weight }) => weight !== 0) };
}

/** KASAN up to 5.x keeps the offset below 2 GiB. */
const KASAN_SLOTS = 2 ** 31 / IMAGE_ALIGN;
