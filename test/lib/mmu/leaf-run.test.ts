import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { countTables, type LeafRun, type MappingUnit, mappingUnits, planLeaves } from '../../../lib/mmu/leaf-run.js';
import { populate } from '../../../lib/mmu/population.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { levelSize, translationRegime } from '../../../lib/mmu/translation-regime.js';
import { granularities, type RandomRange, ranges, regimes } from './arbitrary.js';

/** The obvious way: at each address, the largest unit that is aligned there and fits. */
function naive(range: RandomRange, units: readonly MappingUnit[]): string[] {
  const chosen: string[] = [];
  for (let done = 0; done < range.size; ) {
    const fits = ({ size }: MappingUnit): boolean =>
      (range.va + done) % size === 0 && (range.pa + done) % size === 0 && range.size - done >= size;
    const unit = units.filter(fits).sort((a, b) => b.size - a.size)[0]!;
    chosen.push(`${range.va + done} ${range.pa + done} ${unit.level} ${unit.contiguous} ${unit.size}`);
    done += unit.size;
  }
  return chosen;
}

/** Runs as the naive list has them: a line for each unit. */
function unitLines(runs: readonly LeafRun[], units: readonly MappingUnit[]): string[] {
  return runs.flatMap((run) => {
    const { size } = units.find(({ level, contiguous }) => level === run.level && contiguous === run.contiguous)!;
    return Array.from({ length: (run.count * run.entrySize) / size }, (_, i) => {
      const at = i * size;
      return `${run.va + at} ${run.pa + at} ${run.level} ${run.contiguous} ${size}`;
    });
  });
}

const cases = regimes.chain((regime) =>
  fc.record({ regime: fc.constant(regime), granularity: granularities(regime), range: ranges(regime) }),
);

describe('planLeaves', () => {
  it('uses the largest entries there can be, as choosing them one by one does', () => {
    fc.assert(
      fc.property(cases, ({ regime, granularity, range }) => {
        const units = mappingUnits(regime, granularity);
        expect(unitLines(planLeaves(regime, range, units), units)).toEqual(naive(range, units));
      }),
    );
  });

  it('reproduces the text of a 6.12 kernel: contiguous pages, blocks, contiguous pages', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
    const units = mappingUnits(regime, { blocks: [2], contiguous: [3] });
    const base = -0x21c7be200000;
    const runs = planLeaves(regime, { va: va(base + 0x10000), pa: 0x40210000, size: 0xf50000 }, units);
    expect(runs.map(({ va: at, level, contiguous, count }) => [at - base, level, contiguous, count])).toEqual([
      [0x10000, 3, true, 496],
      [0x200000, 2, false, 6],
      [0xe00000, 3, true, 352],
    ]);
  });

  it('needs pages where VA and PA differ within a block, and plain ones where they differ within a group', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
    const units = mappingUnits(regime, { blocks: [1, 2], contiguous: [2, 3] });
    const size = 2 ** 22;
    const plan = (pa: number): [number, boolean, number][] =>
      planLeaves(regime, { va: va(-size), pa, size }, units).map((run) => [run.level, run.contiguous, run.count]);
    expect(plan(2 ** 21)).toEqual([[2, false, 2]]);
    expect(plan(2 ** 20)).toEqual([[3, true, 1024]]);
    expect(plan(2 ** 12)).toEqual([[3, false, 1024]]);
  });
});

describe('countTables', () => {
  it('counts what populating allocates', () => {
    fc.assert(
      fc.property(cases, ({ regime, granularity, range }) => {
        const runs = planLeaves(regime, range, mappingUnits(regime, granularity));
        const tables = new TableSet({ regime, root: 0 });
        populate(tables, runs, { leaf: 0n, table: 0n });
        expect(countTables(regime, runs).total).toBe(tables.pages);
      }),
      { numRuns: 60 },
    );
  });

  it('counts a table that two runs share once', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
    const units = mappingUnits(regime, { blocks: [2], contiguous: [] });
    const block = levelSize(regime, 2);
    const base = -(2 ** 40);
    const first = planLeaves(regime, { va: va(base), pa: 0, size: 4096 }, units);
    const second = planLeaves(regime, { va: va(base + 8192), pa: 8192, size: block }, units);
    const { total, byLevel } = countTables(regime, [...first, ...second]);
    expect([...byLevel]).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
    expect(total).toBe(5);
  });
});
