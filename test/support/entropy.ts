/** Entropy by its definition, for distributions small enough to be counted through. */

/** Bits, from how often each outcome occurs. */
export function entropyOfCounts(counts: Iterable<number>): number {
  const present = [...counts].filter((count) => count > 0);
  const total = present.reduce((a, b) => a + b, 0);
  return present.reduce((bits, count) => bits - (count / total) * Math.log2(count / total), 0);
}

/** How often each value occurs. */
export function tally<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Rows of a histogram as `cases: outcomes`, for comparison with `tally(tally(values).values())`. */
export function rowsOf(
  histogram: readonly { readonly cases: bigint; readonly outcomes: bigint }[],
): Map<number, number> {
  return new Map(
    [...histogram]
      .map(({ cases, outcomes }): [number, number] => [Number(cases), Number(outcomes)])
      .sort(([a], [b]) => a - b),
  );
}

/** How many outcomes occur how often. */
export function countsOfCounts<T>(values: Iterable<T>): Map<number, number> {
  return new Map([...tally(tally(values).values())].sort(([a], [b]) => a - b));
}
