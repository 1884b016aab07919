/**
 * A discrete distribution by its counts: how many outcomes have how many equally likely cases each.
 *
 * Slots differ by a seed or two among 2^39, so a distribution over millions of outcomes has two or three rows, and
 * counts stay exact.
 */

/** `outcomes` different outcomes, each of `cases` equally likely cases. */
export interface Row {
  readonly cases: bigint;
  readonly outcomes: bigint;
}

export type Histogram = readonly Row[];

/** Adds outcomes up by their number of cases; those without a case are none. */
export class HistogramBuilder {
  readonly #outcomes = new Map<bigint, bigint>();

  add(cases: bigint, outcomes = 1n): this {
    if (cases > 0n && outcomes > 0n) this.#outcomes.set(cases, (this.#outcomes.get(cases) ?? 0n) + outcomes);
    return this;
  }

  build(): Histogram {
    return Array.from(this.#outcomes, ([cases, outcomes]) => ({ cases, outcomes }));
  }
}

export function countOutcomes(histogram: Histogram): bigint {
  return histogram.reduce((sum, { outcomes }) => sum + outcomes, 0n);
}

export function countCases(histogram: Histogram): bigint {
  return histogram.reduce((sum, { cases, outcomes }) => sum + cases * outcomes, 0n);
}

/** Entropy in bits. */
export function shannonBits(histogram: Histogram): number {
  const total = countCases(histogram);
  const terms = histogram.map(({ cases, outcomes }) => ratio(cases * outcomes, total) * (log2(total) - log2(cases)));
  return terms.reduce((sum, term) => sum + term, 0);
}

/** Min-entropy in bits: what the likeliest outcome leaves to guess. */
export function minBits(histogram: Histogram): number {
  let most = 0n;
  for (const { cases } of histogram) if (cases > most) most = cases;
  return log2(countCases(histogram)) - log2(most);
}

const ratio = (a: bigint, b: bigint): number => Number(a) / Number(b);

/** Binary logarithm of a positive integer, right to a double's last bits. */
export function log2(x: bigint): number {
  const shift = Math.max(0, x.toString(2).length - 53);
  return Math.log2(Number(x >> BigInt(shift))) + shift;
}

/**
 * Entropy that is left where each case is a number, the cases of an outcome follow each other, and the low bits of the number
 * are known. A run of n numbers holds each value of its low bits floor(n / 2^lowBits) times or once more.
 */
export function shannonBitsGivenLowBits(histogram: Histogram, lowBits: number): number {
  const values = 1n << BigInt(lowBits);
  const joint = new HistogramBuilder();
  for (const { cases, outcomes } of histogram) {
    const least = cases / values;
    const more = cases % values;
    joint.add(least + 1n, more * outcomes).add(least, (values - more) * outcomes);
  }
  return shannonBits(joint.build()) - lowBits;
}
