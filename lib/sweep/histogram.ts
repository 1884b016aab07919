/** How often each count of PLT entries occurs, by weight, and what is said of it in a line. */
import type { PlacementSteps } from './placement-steps.js';

export interface Summary {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** The least count that 50, 90, 99 of a hundred do not exceed. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface Share {
  readonly plts: number;
  readonly probability: number;
}

export class Histogram {
  readonly #weights = new Map<number, number>();

  add(plts: number, weight: number): void {
    this.#weights.set(plts, (this.#weights.get(plts) ?? 0) + weight);
  }

  /** @param total the weight that the last step ends at */
  static ofSteps({ starts, counts }: PlacementSteps, total: number): Histogram {
    const histogram = new Histogram();
    counts.forEach((count, i) => {
      histogram.add(count, (starts[i + 1] ?? total) - starts[i]!);
    });
    return histogram;
  }

  get total(): number {
    let total = 0;
    for (const weight of this.#weights.values()) total += weight;
    return total;
  }

  /** Counts and their weights, ascending. */
  weights(): [plts: number, weight: number][] {
    return [...this.#weights].filter(([, weight]) => weight > 0).sort(([a], [b]) => a - b);
  }

  distribution(): Share[] {
    const { total } = this;
    return this.weights().map(([plts, weight]) => ({ plts, probability: weight / total }));
  }

  /** Undefined of nothing. */
  summary(): Summary | undefined {
    const weights = this.weights();
    const [first, last] = [weights[0], weights.at(-1)];
    if (!first || !last) return undefined;
    const { total } = this;
    const quantile = (share: number): number => {
      let sum = 0;
      for (const [plts, weight] of weights) {
        sum += weight;
        if (sum >= share * total) return plts;
      }
      return last[0];
    };
    return {
      min: first[0],
      max: last[0],
      mean: exactMean(weights, total),
      p50: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
    };
  }
}

/** The double nearest to the mean: the sum of products can need more than 53 bits. */
function exactMean(weights: readonly (readonly [number, number])[], total: number): number {
  const sum = weights.reduce((sum, [plts, weight]) => sum + BigInt(plts) * BigInt(weight), 0n);
  const whole = sum / BigInt(total);
  return Number(whole) + Number(sum - whole * BigInt(total)) / total;
}
