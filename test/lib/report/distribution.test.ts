import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { binned, binsOf, WHOLE } from '../../../lib/report/distribution.js';

const weights = fc
  .uniqueArray(fc.tuple(fc.nat(5000), fc.integer({ min: 1, max: 2 ** 40 })), {
    minLength: 1,
    maxLength: 60,
    selector: ([count]) => count,
  })
  .map((pairs) => pairs.sort(([a], [b]) => a - b));

describe('binned', () => {
  it('keeps a narrow distribution as it is', () => {
    const bins = binsOf(
      binned(
        [
          [7, 1],
          [8, 2],
          [10, 1],
        ],
        16,
      ),
    );
    expect(bins).toEqual([
      { from: 7, to: 8, share: 0.25 },
      { from: 8, to: 9, share: 0.5 },
      { from: 9, to: 10, share: 0 },
      { from: 10, to: 11, share: 0.25 },
    ]);
  });

  it('puts every weight into the bin that holds its count, and no more bins than asked for', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 64 }), (pairs, most) => {
        const bins = binsOf(binned(pairs, most));
        expect(bins.length).toBeLessThanOrEqual(most);
        const total = pairs.reduce((sum, [, weight]) => sum + weight, 0);
        for (const { from, to, share } of bins) {
          const inside = pairs.filter(([count]) => from <= count && count < to);
          const expected = inside.reduce((sum, [, weight]) => sum + weight, 0) / total;
          expect(Math.abs(share - expected)).toBeLessThanOrEqual(0.5 / WHOLE + 1e-12);
        }
        expect(bins[0]!.from).toBe(pairs[0]![0]);
        expect(bins.at(-1)!.from).toBeLessThanOrEqual(pairs.at(-1)![0]);
        expect(bins.at(-1)!.to).toBeGreaterThan(pairs.at(-1)![0]);
      }),
    );
  });

  it('uses no wider bins than it has to', () => {
    expect(
      binned(
        [
          [0, 1],
          [15, 1],
        ],
        16,
      )[1],
    ).toBe(1);
    expect(
      binned(
        [
          [0, 1],
          [16, 1],
        ],
        16,
      )[1],
    ).toBe(2);
  });
});
