import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RunCount } from '../../../lib/sweep/run-count.js';

const everySlot = (entries: number): number => entries;

/** Rows in order, those present in turn: a new entry wherever the id is not the one before. */
function naiveRuns(ids: readonly number[], present: ReadonlySet<number>): number {
  let previous: number | undefined;
  let runs = 0;
  ids.forEach((id, row) => {
    if (!present.has(row)) return;
    if (id !== previous) runs++;
    previous = id;
  });
  return runs;
}

describe('RunCount', () => {
  it('counts as a walk over all rows does, whatever comes and goes', () => {
    const input = fc.integer({ min: 1, max: 140 }).chain((length) =>
      fc.record({
        ids: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: length, maxLength: length }),
        toggles: fc.array(fc.integer({ min: 0, max: length - 1 }), { maxLength: 300 }),
      }),
    );
    fc.assert(
      fc.property(input, ({ ids, toggles }) => {
        const runs = new RunCount({ ids, parts: ids.map(() => 0) }, [everySlot, everySlot]);
        const present = new Set<number>();
        for (const row of toggles) {
          runs.toggle(row);
          if (!present.delete(row)) present.add(row);
          expect(runs.used).toBe(naiveRuns(ids, present));
        }
      }),
    );
  });

  it('adds what both PLTs need, each by its own slots', () => {
    const doubled = (entries: number): number => 2 * entries;
    const runs = new RunCount({ ids: [0, 0, 1, 2], parts: [0, 0, 1, 1] }, [everySlot, doubled]);
    for (const row of [0, 1, 2, 3]) runs.toggle(row);
    expect(runs.used).toBe(1 + 2 * 2);
  });
});
