import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  countCases,
  countOutcomes,
  HistogramBuilder,
  log2,
  minBits,
  shannonBits,
  shannonBitsGivenLowBits,
} from '../../../lib/entropy/histogram.js';
import { entropyOfCounts } from '../../support/entropy.js';

const histogramOf = (counts: readonly number[]) => {
  const histogram = new HistogramBuilder();
  for (const count of counts) histogram.add(BigInt(count));
  return histogram.build();
};

const counts = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 50 })
  .filter((all) => all.some((n) => n > 0));

describe('Histogram', () => {
  it('has the entropy of the counts that made it', () => {
    fc.assert(
      fc.property(counts, (counts) => {
        const histogram = histogramOf(counts);
        const total = counts.reduce((a, b) => a + b);
        expect(countCases(histogram)).toBe(BigInt(total));
        expect(countOutcomes(histogram)).toBe(BigInt(counts.filter((n) => n > 0).length));
        expect(shannonBits(histogram)).toBeCloseTo(entropyOfCounts(counts), 10);
        expect(minBits(histogram)).toBeCloseTo(Math.log2(total / Math.max(...counts)), 10);
      }),
    );
  });

  it('keeps counts of 2^64 cases exact', () => {
    const histogram = new HistogramBuilder()
      .add(2n ** 39n + 1n, 2n ** 24n)
      .add(2n ** 39n - 1n, 2n ** 24n)
      .build();
    expect(countCases(histogram)).toBe(2n ** 64n);
    expect(countOutcomes(histogram)).toBe(2n ** 25n);
    expect(shannonBits(histogram)).toBeCloseTo(25, 12);
  });
});

describe('log2', () => {
  it.each([1n, 2n, 3n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 64n - 1n, 2n ** 64n, 3n * 2n ** 100n])('of %d', (x) => {
    expect(log2(x)).toBeCloseTo(Math.log2(Number(x)), 12);
  });
});

describe('shannonBitsGivenLowBits', () => {
  it('is what remains of runs of consecutive numbers when their low bits are told', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 5 }), (lengths, lowBits) => {
        // The runs fill a whole number of rounds of the low bits, as the runs of all seeds do.
        const values = 2 ** lowBits;
        const sum = lengths.reduce((a, b) => a + b);
        const runs = [...lengths, values - (sum % values)];
        const joint = new Map<string, number>();
        let next = 0;
        runs.forEach((length, run) => {
          for (let i = 0; i < length; i++, next++) {
            const key = `${run} ${next % values}`;
            joint.set(key, (joint.get(key) ?? 0) + 1);
          }
        });
        const left = entropyOfCounts([...joint.values()]) - lowBits;
        expect(shannonBitsGivenLowBits(histogramOf(runs), lowBits)).toBeCloseTo(left, 10);
      }),
    );
  });
});
