/**
 * The 2 MiB slots that an image may begin in, and how many seeds lead to each: the distribution behind kaslr/image-offset.ts.
 *
 * Masked seeds fill slots evenly, or by a pattern that repeats with the boundary an image must not straddle; scaled seeds
 * give each slot one run of consecutive seeds. Widths are parameters, so that small ones can be counted through.
 */
import type { Era } from '../kaslr/era.js';
import { boundarySize, imageOffset, type OffsetInput, scaledRange } from '../kaslr/image-offset.js';
import { IMAGE_ALIGN } from '../kaslr/layout.js';
import { type Histogram, HistogramBuilder } from './histogram.js';

/** `count` slots; slot k is reached from `weights[k % weights.length]` values of the masked seed. */
export interface PeriodicSlots {
  readonly kind: 'periodic';
  readonly weights: readonly number[];
  readonly count: number;
}

/** Slot of seed S: `floor((start + floor(range * S / 2^seedBits)) / slotSize)`. */
export interface ScaledSlots {
  readonly kind: 'scaled';
  readonly seedBits: number;
  readonly start: number;
  readonly range: number;
  readonly slotSize: number;
}

export type ImageSlots = PeriodicSlots | ScaledSlots;

const SEED_BITS = 64;
const TWO_GIB = 2 ** 31;

/** The slots of an era on a machine. */
export function imageSlots(input: OffsetInput): ImageSlots {
  const { era, geometry, layout, kasan } = input;
  if (era.imageRule === 'scaled-range') {
    const range = scaledRange(layout);
    return { kind: 'scaled', seedBits: SEED_BITS, start: range / 2, range, slotSize: IMAGE_ALIGN };
  }
  const vaBits = era.imageRule === 'lower-half' ? geometry.vaBits : geometry.vaBitsMin;
  const span = kasan && era.kasanRule === 'offset-within-2g' ? TWO_GIB : 2 ** (vaBits - 2);
  return { kind: 'periodic', weights: PERIOD[era.crossingRule](input), count: span / IMAGE_ALIGN };
}

/** Moving an image off a boundary depends on where it is from the last one alone, so one period tells all. */
function movedWeights(input: OffsetInput): number[] {
  const size = boundarySize(input.geometry.pageSize) / IMAGE_ALIGN;
  const weights = new Array<number>(size).fill(0);
  for (let slot = 0; slot < size; slot++) {
    // Bit 0 keeps the first from being the seed 0.
    const offset = imageOffset(BigInt(slot * IMAGE_ALIGN) | 1n, input) - input.displacement;
    const reached = (offset / IMAGE_ALIGN) % size;
    weights[reached] = weights[reached]! + 1;
  }
  return weights;
}

const PERIOD: Readonly<Record<Era['crossingRule'], (input: OffsetInput) => number[]>> = {
  ignore: () => [1],
  'round-down': movedWeights,
  'add-image-size': movedWeights,
};

/**
 * Cases are seeds for scaled slots, values of the masked seed for periodic ones. The seed 0, which switches KASLR off,
 * counts as any other: one in 2^64 is below a double's precision.
 */
export function slotHistogram(slots: ImageSlots): Histogram {
  if (slots.kind === 'scaled') return runHistogram(slots, 1);
  const periods = BigInt(slots.count / slots.weights.length);
  const histogram = new HistogramBuilder();
  for (const weight of slots.weights) histogram.add(BigInt(weight), periods);
  return histogram.build();
}

/** First and last slot that a scaled seed leads to. */
function slotBounds({ start, range, slotSize }: ScaledSlots): { first: number; last: number } {
  return { first: Math.floor(start / slotSize), last: Math.floor((start + range - 1) / slotSize) };
}

/**
 * How many seeds lead to each run of `length` consecutive slots, for the runs that hold at least one slot: those at the
 * ends are shorter. Runs inside differ by one seed at most, so their sum says how many have it.
 */
export function runHistogram(slots: ScaledSlots, length: number): Histogram {
  const { first, last } = slotBounds(slots);
  const below = (slot: number): bigint => seedsBelow(slots, slot);
  const histogram = new HistogramBuilder();
  const single = (end: number): void => void histogram.add(below(end + 1) - below(end + 1 - length));
  // A run is named by its last slot; only those away from the first and the last slot, which are cut, are alike.
  const innerFirst = first + length;
  const innerLast = last - 1;
  const runs = innerLast - innerFirst + 1;
  for (let end = first; end < (runs > 0 ? innerFirst : last + length); end++) single(end);
  if (runs <= 0) return histogram.build();
  for (let end = innerLast + 1; end < last + length; end++) single(end);

  let sum = 0n;
  for (let i = 0; i < length; i++) sum += below(innerLast + 1 - i) - below(innerFirst - i);
  const least = sum / BigInt(runs);
  const more = sum - least * BigInt(runs);
  return histogram
    .add(least + 1n, more)
    .add(least, BigInt(runs) - more)
    .build();
}

/** Seeds that lead to a slot below `slot`. */
function seedsBelow({ seedBits, start, range, slotSize }: ScaledSlots, slot: number): bigint {
  const scaled = Math.min(Math.max(slot * slotSize - start, 0), range);
  return ((BigInt(scaled) << BigInt(seedBits)) + BigInt(range) - 1n) / BigInt(range);
}

/** The most slots that any run of `length` consecutive ones holds which a seed leads to. */
export function mostInRun(slots: ImageSlots, length: number): number {
  if (slots.kind === 'scaled') {
    const { first, last } = slotBounds(slots);
    return Math.min(length, last - first + 1);
  }
  const { weights, count } = slots;
  const period = weights.length;
  const reached = (end: number): number => weights.slice(0, end).filter((weight) => weight > 0).length;
  const all = reached(period);
  const upTo = (end: number): number => Math.floor(end / period) * all + reached(end % period);
  const run = Math.min(length, count);
  const starts = weights.slice(0, count - run + 1);
  return Math.max(...starts.map((_, from) => upTo(from + run) - upTo(from)));
}
