import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Histogram } from '../../../lib/sweep/histogram.js';
import { type PlacementSteps, StepBuilder, StepSum } from '../../../lib/sweep/placement-steps.js';

const WEIGHT = 60;

/** A count for each unit of weight, and the steps that say the same. */
const function_ = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: WEIGHT, maxLength: WEIGHT });

function stepsOf(values: readonly number[]): PlacementSteps {
  const builder = new StepBuilder();
  values.forEach((value, at) => {
    builder.add(at, value);
  });
  return builder;
}

describe('StepBuilder', () => {
  it('continues equal steps and drops those without weight', () => {
    const builder = new StepBuilder();
    for (const [start, count] of [
      [0, 5],
      [0, 2],
      [3, 2],
      [4, 9],
      [4, 2],
      [6, 1],
    ] as const)
      builder.add(start, count);
    expect(builder).toMatchObject({ starts: [0, 6], counts: [2, 1] });
  });
});

describe('StepSum', () => {
  it('adds functions point by point, whole or through their changes', () => {
    fc.assert(
      fc.property(fc.array(function_, { minLength: 1, maxLength: 5 }), (functions) => {
        const sum = new StepSum();
        for (const values of functions) sum.add(stepsOf(values));
        const again = new StepSum();
        const changes = sum.changes();
        for (let i = 0; i < changes.length; i += 2) again.addChange(changes[i]!, changes[i + 1]!);
        const expected = Array.from({ length: WEIGHT }, (_, at) =>
          functions.reduce((all, values) => all + values[at]!, 0),
        );
        expect(sum.steps()).toEqual(stepsOf(expected));
        expect(again.steps()).toEqual(stepsOf(expected));
      }),
    );
  });
});

describe('Histogram', () => {
  it('says of steps what counting each unit of weight says', () => {
    fc.assert(
      fc.property(function_, (values) => {
        const histogram = Histogram.ofSteps(stepsOf(values), WEIGHT);
        const sorted = [...values].sort((a, b) => a - b);
        const summary = histogram.summary()!;
        expect(summary).toMatchObject({
          min: sorted[0],
          max: sorted.at(-1),
          p50: sorted[WEIGHT * 0.5 - 1],
          p90: sorted[WEIGHT * 0.9 - 1],
          p99: sorted[Math.ceil(WEIGHT * 0.99) - 1],
        });
        expect(summary.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / WEIGHT, 12);
        for (const { plts, probability } of histogram.distribution()) {
          expect(probability).toBe(values.filter((value) => value === plts).length / WEIGHT);
        }
      }),
    );
  });

  it('keeps a mean exact whose sum needs more than 53 bits', () => {
    const histogram = new Histogram();
    histogram.add(4001, 2 ** 52);
    histogram.add(4003, 2 ** 52);
    expect(histogram.summary()!.mean).toBe(4002);
    expect(new Histogram().summary()).toBeUndefined();
  });
});
