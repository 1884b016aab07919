import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { barsOf, type Extent } from '../../../../lib/report/page/bar-layout.js';

const WIDTH = 1000;

/** Ascending and disjoint, from a page to a gigabyte. */
const extents = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 2 ** 24 }), fc.integer({ min: 1, max: 2 ** 24 })), { maxLength: 80 })
  .map((pairs) => {
    let at = -(2 ** 47);
    return pairs.map(([gap, size]): Extent => {
      const start = at + gap;
      at = start + size;
      return { start, end: at };
    });
  });

const viewport = fc.record({
  start: fc.integer({ min: -(2 ** 47), max: -(2 ** 47) + 2 ** 30 }),
  span: fc.integer({ min: 4096, max: 2 ** 31 }),
});

describe('barsOf', () => {
  it('draws everything in sight once, in order, and nothing else', () => {
    fc.assert(
      fc.property(extents, viewport, (all, view) => {
        const drawn = barsOf(all, view, WIDTH).flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        const visible = all.flatMap(({ start, end }, i) =>
          end > view.start && start < view.start + view.span ? [i] : [],
        );
        expect(drawn).toEqual(visible);
      }),
    );
  });

  it('puts each bar where its first thing begins and makes it wide enough for its last', () => {
    fc.assert(
      fc.property(extents, viewport, (all, view) => {
        const scale = WIDTH / view.span;
        for (const { x, width, first, last } of barsOf(all, view, WIDTH)) {
          expect(width).toBeGreaterThanOrEqual(1);
          const left = (all[first]!.start - view.start) * scale;
          const right = (all[last]!.end - view.start) * scale;
          if (left >= 0) expect(x).toBeCloseTo(left, 6);
          if (right <= WIDTH) expect(x + width).toBeGreaterThanOrEqual(right - 1e-6);
          // To scale: never more than a pixel too wide.
          expect(x + width).toBeLessThanOrEqual(Math.max(right, left + 1) + 1 + 1e-6);
        }
      }),
    );
  });

  it('never joins what is wide enough to be seen', () => {
    fc.assert(
      fc.property(extents, viewport, (all, view) => {
        for (const { first, last } of barsOf(all, view, WIDTH)) {
          if (first === last) continue;
          for (const { start, end } of all.slice(first, last + 1)) {
            const right = Math.min(end, view.start + view.span);
            const left = Math.max(start, view.start);
            expect(((right - left) / view.span) * WIDTH).toBeLessThan(1.5);
          }
        }
      }),
    );
  });

  it('makes no more bars of thousands of small things than there are pixels', () => {
    const pages = Array.from({ length: 20_000 }, (_, i) => ({ start: i * 8192, end: i * 8192 + 4096 }));
    const bars = barsOf(pages, { start: 0, span: 20_000 * 8192 }, WIDTH);
    expect(bars).toHaveLength(1);
    expect(bars[0]).toMatchObject({ first: 0, last: 19_999 });
  });
});
