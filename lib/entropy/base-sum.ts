/**
 * Where modules are, when neither the image's slot nor the base's distance from it is known: the distribution of their sum.
 *
 * Pages split by their place in a slot. In each class a base at slot j is reached from the image slots j, j-1, ..., each
 * with the distance that is left: a convolution whose inside repeats with the slots' period, so that only its ends are
 * counted one by one.
 */
import type { BaseSpread } from './base-spread.js';
import { type Histogram, HistogramBuilder } from './histogram.js';
import { type ImageSlots, type PeriodicSlots, runHistogram } from './image-slot.js';

/**
 * The distribution of the base's absolute page.
 * @param pagesPerSlot pages in a slot of 2 MiB
 * @param spread even where the slots are scaled, as in every era that scales them
 */
export function sumHistogram(slots: ImageSlots, spread: BaseSpread, pagesPerSlot: number): Histogram {
  const histogram = new HistogramBuilder();
  if (slots.kind === 'periodic') {
    // Millions of additions: numbers are exact here, and ten times faster than bigints.
    const outcomes = new Map<number, number>();
    for (let page = 0; page < Math.min(pagesPerSlot, spread.pages.length); page++) {
      addClass(outcomes, slots, classOf(spread, page, pagesPerSlot));
    }
    for (const [cases, count] of outcomes) histogram.add(BigInt(cases), BigInt(count));
    return histogram.build();
  }
  const whole = Math.floor(spread.pages.length / pagesPerSlot);
  const longer = spread.pages.length % pagesPerSlot;
  // Evenly spread, a base is reached from a run of slots: one slot longer for the classes that the last pages are of.
  for (const [length, classes] of [
    [whole + 1, longer],
    [whole, pagesPerSlot - longer],
  ] as const) {
    if (length === 0) continue;
    for (const { cases, outcomes } of runHistogram(slots, length)) histogram.add(cases, outcomes * BigInt(classes));
  }
  return histogram.build();
}

/** Cases of every `pagesPerSlot`-th page from `page` on. */
function classOf({ pages }: BaseSpread, page: number, pagesPerSlot: number): number[] {
  return Array.from(
    { length: Math.ceil((pages.length - page) / pagesPerSlot) },
    (_, i) => pages[page + i * pagesPerSlot]!,
  );
}

/** Adds the bases of one class: slots 0 .. count - 1 + distances.length - 1. */
function addClass(
  histogram: Map<number, number>,
  { weights, count }: PeriodicSlots,
  distances: readonly number[],
): void {
  const period = weights.length;
  const settled = distances.length - 1;
  const endless = endlessSum(weights, distances);
  // What slots from 0 on without end give; it repeats from `settled` on.
  const from = (slot: number): number =>
    slot < 0 ? 0 : endless[slot < settled ? slot : settled + ((slot - settled) % period)]!;
  const add = (slot: number, outcomes: number): void => {
    const cases = from(slot) - from(slot - count);
    histogram.set(cases, (histogram.get(cases) ?? 0) + outcomes);
  };
  const inside = Math.max(0, count - settled);
  for (let slot = 0; slot < Math.min(settled, count); slot++) add(slot, 1);
  for (let phase = 0; phase < Math.min(period, inside); phase++) {
    add(settled + phase, Math.ceil((inside - phase) / period));
  }
  for (let slot = count; slot < count + settled; slot++) add(slot, 1);
}

/** For slots 0 .. distances.length - 2 and one period more: the sum over image slots from 0 on, without an upper end. */
function endlessSum(weights: readonly number[], distances: readonly number[]): number[] {
  const period = weights.length;
  const sums: number[] = [];
  for (let slot = 0; slot < distances.length - 1 + period; slot++) {
    // Beyond the first period the same sum returns, one period earlier.
    let sum = slot < period ? 0 : sums[slot - period]!;
    for (let k = 0; k < period && k <= slot; k++) sum += weights[k]! * (distances[slot - k] ?? 0);
    sums.push(sum);
  }
  return sums;
}
