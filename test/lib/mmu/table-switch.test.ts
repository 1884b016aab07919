import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Va, va } from '../../../lib/address.js';
import { type Granularity, mappingUnits, planLeaves } from '../../../lib/mmu/leaf-run.js';
import { populate } from '../../../lib/mmu/population.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { type SwitchStep, TableSwitchRecorder } from '../../../lib/mmu/table-switch.js';
import { type TranslationRegime, translationRegime } from '../../../lib/mmu/translation-regime.js';
import { disjointRanges, granularities, type RandomRange, regimes } from './arbitrary.js';

const EARLY_ROOT = 2 ** 30;
const FINAL_ROOT = 2 ** 31;

function record(
  regime: TranslationRegime,
  parts: readonly RandomRange[],
  granularity: Granularity = { blocks: [2], contiguous: [3] },
) {
  const early = new TableSet({ regime, root: EARLY_ROOT });
  early.allocate();
  const final = new TableSet({ regime, root: FINAL_ROOT });
  const recorder = new TableSwitchRecorder(regime);
  for (const part of parts) {
    populate(final, planLeaves(regime, part, mappingUnits(regime, granularity)), { leaf: 0n, table: 0n }, recorder);
  }
  return { early, final, steps: recorder.steps(final, early) };
}

/** Carries the steps out on memory where a page can only be touched through the slot that maps it. */
class Machine {
  readonly memory = new Map<number, bigint>();
  readonly slots = new Map<string, number>();
  readonly freed: number[] = [];
  idmap = false;
  ttbr1: bigint | 'early' | 'reserved' | 'invalidated' = 'early';

  run(step: SwitchStep): void {
    switch (step.step) {
      case 'map-slot':
        expect(this.slots.has(step.slot)).toBe(false);
        expect([...this.slots.values()]).not.toContain(step.page);
        this.slots.set(step.slot, step.page);
        break;
      case 'unmap-slot':
        expect(this.slots.get(step.slot)).toBe(step.page);
        this.slots.delete(step.slot);
        break;
      case 'clear-page':
        expect(this.slots.get(step.slot)).toBe(step.page);
        this.memory.set(step.page, 0n);
        break;
      case 'write':
        if (this.slots.get(step.slot) !== step.page) throw new Error(`${step.slot} does not map ${step.page}`);
        // A table is cleared before it is written, and the root is there from the start.
        if (step.page !== FINAL_ROOT) expect(this.memory.has(step.page)).toBe(true);
        step.words.forEach((word, i) => {
          this.memory.set(step.page + 8 * (step.index + i), word);
        });
        break;
      case 'install-idmap':
        this.idmap = true;
        break;
      case 'uninstall-idmap':
        this.idmap = false;
        break;
      case 'reserve-ttbr1':
        expect([this.idmap, this.slots.size]).toEqual([true, 0]);
        this.ttbr1 = 'reserved';
        break;
      case 'invalidate-tlb':
        expect(this.ttbr1).toBe('reserved');
        this.ttbr1 = 'invalidated';
        break;
      case 'set-ttbr1':
        expect([this.idmap, this.ttbr1]).toEqual([true, 'invalidated']);
        this.ttbr1 = step.ttbr;
        break;
      case 'free':
        expect(typeof this.ttbr1).toBe('bigint');
        this.freed.push(step.page);
    }
  }
}

const cases = regimes.chain((regime) =>
  fc.record({
    regime: fc.constant(regime),
    granularity: granularities(regime),
    parts: disjointRanges(regime, { count: 2, pages: 200 }),
  }),
);

describe('TableSwitchRecorder', () => {
  it('builds the same tables through its slots alone, and switches only when they are complete', () => {
    fc.assert(
      fc.property(cases, ({ regime, granularity, parts }) => {
        const { final, steps } = record(regime, parts, granularity);
        const machine = new Machine();
        for (const step of steps) machine.run(step);
        const view = new DataView(final.bytes.buffer, final.bytes.byteOffset, final.bytes.byteLength);
        let wrong = 0;
        for (let at = 0; at < final.bytes.length; at += 8) {
          if ((machine.memory.get(FINAL_ROOT + at) ?? 0n) !== view.getBigUint64(at, true)) wrong++;
        }
        expect(wrong).toBe(0);
        expect(machine.ttbr1).toBe(final.ttbr);
        expect(machine.slots.size).toBe(0);
        expect(machine.freed).toEqual([EARLY_ROOT, EARLY_ROOT + regime.pageSize]);
      }),
      { numRuns: 40 },
    );
  });

  it('goes down level by level, clears each new table through the slot of the last, and writes words in one go', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 39 });
    const at: Va = va(-(2 ** 38));
    const { steps } = record(regime, [{ va: at, pa: 0, size: 3 * 4096 }]);
    const [pmd, pte] = [FINAL_ROOT + 4096, FINAL_ROOT + 8192];
    expect(steps).toEqual([
      { step: 'map-slot', slot: 'FIX_PTE', page: pmd },
      { step: 'clear-page', slot: 'FIX_PTE', page: pmd },
      { step: 'unmap-slot', slot: 'FIX_PTE', page: pmd },
      { step: 'map-slot', slot: 'FIX_PGD', page: FINAL_ROOT },
      { step: 'write', slot: 'FIX_PGD', page: FINAL_ROOT, index: 256, words: [0x80001003n] },
      { step: 'map-slot', slot: 'FIX_PTE', page: pte },
      { step: 'clear-page', slot: 'FIX_PTE', page: pte },
      { step: 'unmap-slot', slot: 'FIX_PTE', page: pte },
      { step: 'map-slot', slot: 'FIX_PMD', page: pmd },
      { step: 'write', slot: 'FIX_PMD', page: pmd, index: 0, words: [0x80002003n] },
      { step: 'map-slot', slot: 'FIX_PTE', page: pte },
      { step: 'write', slot: 'FIX_PTE', page: pte, index: 0, words: [3n, 0x1003n, 0x2003n] },
      { step: 'unmap-slot', slot: 'FIX_PTE', page: pte },
      { step: 'unmap-slot', slot: 'FIX_PMD', page: pmd },
      { step: 'unmap-slot', slot: 'FIX_PGD', page: FINAL_ROOT },
      { step: 'install-idmap' },
      { step: 'reserve-ttbr1' },
      { step: 'invalidate-tlb' },
      { step: 'set-ttbr1', ttbr: BigInt(FINAL_ROOT) },
      { step: 'uninstall-idmap' },
      { step: 'free', page: EARLY_ROOT },
      { step: 'free', page: EARLY_ROOT + 4096 },
    ]);
  });
});
