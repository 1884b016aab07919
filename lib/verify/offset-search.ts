/** Binary search among things that begin at an offset of a section. */

/** The last element that begins at or before `offset`; `sorted` is in ascending order. */
export function lastNotAfter<T extends { readonly offset: number }>(
  sorted: readonly T[],
  offset: number,
): T | undefined {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.offset <= offset) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
