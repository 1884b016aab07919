import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { heapsort } from '../../../lib/plt/heapsort.js';

/**
 * The bottom-up variant that kernels from 5.2 on use, on an array of [key, identity]: walk down to a leaf along the
 * greater children, climb back to the first that exceeds the element, rotate the path.
 */
function bottomUp(input: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const heap = [...input];
  const sift = (root: number, end: number): void => {
    const path = [root];
    for (let at = root; 2 * at + 1 < end; path.push(at)) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      at = right < end && heap[left]![0] < heap[right]![0] ? right : left;
    }
    while (path.length > 1 && heap[root]![0] >= heap[path.at(-1)!]![0]) path.pop();
    const element = heap[root]!;
    for (let i = 0; i + 1 < path.length; i++) heap[path[i]!] = heap[path[i + 1]!]!;
    heap[path.at(-1)!] = element;
  };
  for (let root = Math.floor(heap.length / 2) - 1; root >= 0; root--) sift(root, heap.length);
  for (let end = heap.length - 1; end > 0; end--) {
    [heap[0], heap[end]] = [heap[end]!, heap[0]!];
    sift(0, end);
  }
  return heap;
}

const sorted = (keys: readonly number[], count = keys.length): number[] => {
  const order = Uint32Array.from(keys.keys());
  heapsort(order, count, (a, b) => keys[a]! - keys[b]!);
  return [...order];
};

describe('heapsort', () => {
  it('sorts, and puts equal elements where the bottom-up variant puts them', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 6 }), { maxLength: 60 }), (keys) => {
        const expected = bottomUp(keys.map((key, identity) => [key, identity] as const));
        expect(sorted(keys)).toEqual(expected.map(([, identity]) => identity));
        expect(sorted(keys).map((i) => keys[i])).toEqual([...keys].sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it('is not stable', () => {
    expect(sorted([1, 1, 1])).toEqual([1, 2, 0]);
  });

  it('leaves the elements behind the first `count` where they are', () => {
    expect(sorted([3, 2, 1, 0], 2)).toEqual([1, 0, 2, 3]);
    expect(sorted([3, 2], 0)).toEqual([0, 1]);
  });
});
