/** Distributions made small: a few bins of whole-number weights in place of hundreds of probabilities. */
import type { Distribution } from './report-data.js';

/** What weights are counted in. */
export const WHOLE = 10_000;

/**
 * Sorts counts into at most `bins` bins of equal width.
 * @param weights counts, ascending, and how often each occurs; at least one
 */
export function binned(weights: readonly (readonly [count: number, weight: number])[], bins: number): Distribution {
  const first = weights[0]![0];
  const width = Math.ceil((weights.at(-1)![0] - first + 1) / bins);
  const sums: number[] = [];
  let total = 0;
  for (const [count, weight] of weights) {
    const bin = Math.floor((count - first) / width);
    sums[bin] = (sums[bin] ?? 0) + weight;
    total += weight;
  }
  return [first, width, ...Array.from(sums, (sum = 0) => Math.round((WHOLE * sum) / total))];
}

export interface Bin {
  /** Counts `[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** 0 to 1. */
  readonly share: number;
}

export function binsOf([first = 0, width = 1, ...weights]: Distribution): Bin[] {
  return weights.map((weight, i) => ({
    from: first + i * width,
    to: first + (i + 1) * width,
    share: weight / WHOLE,
  }));
}
