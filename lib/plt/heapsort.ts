/**
 * The kernel's sort() as far as it can be seen: which of two equal elements comes first.
 *
 * It is a heapsort and not stable. Equal branches share one PLT entry, so their order shows nowhere; equal
 * ADRPs each get a veneer, and kernels that sort all records (to 5.8) emit those in this order. The bottom-up variant of
 * 5.2 and later compares other pairs, but moves every element to the same place.
 * @see Linux 6.1 lib/sort.c, sort_r()
 */

/** Sorts the first `count` elements in place; `compare` is negative, zero or positive. */
export function heapsort(elements: Uint32Array, count: number, compare: (a: number, b: number) => number): void {
  const siftDown = (from: number, end: number): void => {
    const element = elements[from]!;
    let at = from;
    for (let child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && compare(elements[child]!, elements[child + 1]!) < 0) child++;
      if (compare(element, elements[child]!) >= 0) break;
      elements[at] = elements[child]!;
      at = child;
    }
    elements[at] = element;
  };
  for (let root = (count >>> 1) - 1; root >= 0; root--) siftDown(root, count);
  for (let end = count - 1; end > 0; end--) {
    const last = elements[end]!;
    elements[end] = elements[0]!;
    elements[0] = last;
    siftDown(0, end);
  }
}
