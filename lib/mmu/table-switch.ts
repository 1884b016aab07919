/**
 * Building final tables beside the live ones, step by step, and switching to them.
 *
 * Table pages are memory that is not mapped yet, so each is reached through a fixmap slot, one per level: a slot is
 * pointed at a page, the page is written, the slot is cleared. When the tables are complete, TTBR1_EL1 goes to an
 * empty reserved table, by code that runs from the identity map, and from there to the new root, so that no TLB
 * ever holds an old and a new entry. Then the early tables are free.
 *
 * @see Linux 6.1 arch/arm64/mm/mmu.c, paging_init(), early_pgtable_alloc(), pud_set_fixmap_offset();
 *   mm/proc.S, idmap_cpu_replace_ttbr1
 */
import type { PopulationObserver, TableWrite } from './population.js';
import type { TableSet } from './table-set.js';
import { levelName, type TranslationRegime } from './translation-regime.js';

/** Pages are physical addresses; a slot is `FIX_PGD`, `FIX_P4D`, `FIX_PUD`, `FIX_PMD` or `FIX_PTE`. */
export type SwitchStep =
  | { readonly step: 'map-slot'; readonly slot: string; readonly page: number }
  | { readonly step: 'clear-page'; readonly slot: string; readonly page: number }
  | {
      readonly step: 'write';
      readonly slot: string;
      readonly page: number;
      /** Index of the first of these words, which follow one another. */
      readonly index: number;
      readonly words: readonly bigint[];
    }
  | { readonly step: 'unmap-slot'; readonly slot: string; readonly page: number }
  /** TTBR0_EL1 to the identity map, where the switching code runs; and back. */
  | { readonly step: 'install-idmap' | 'uninstall-idmap' }
  /** TTBR1_EL1 to an empty table, and everything in the TLB invalidated. */
  | { readonly step: 'reserve-ttbr1' }
  | { readonly step: 'invalidate-tlb' }
  | { readonly step: 'set-ttbr1'; readonly ttbr: bigint }
  | { readonly step: 'free'; readonly page: number };

/** Slot that new pages are cleared through: the one that is not in use while upper levels are. */
const CLEARING_SLOT = 'FIX_PTE';

/**
 * Records the steps as tables are built: an observer for `populate`, and the list it makes.
 */
export class TableSwitchRecorder implements PopulationObserver {
  readonly #regime: TranslationRegime;
  readonly #slots = new Map<string, number>();
  readonly #steps: SwitchStep[] = [];

  constructor(regime: TranslationRegime) {
    this.#regime = regime;
  }

  allocate(table: number): void {
    this.#map(CLEARING_SLOT, table);
    this.#steps.push({ step: 'clear-page', slot: CLEARING_SLOT, page: table });
    this.#unmap(CLEARING_SLOT);
  }

  write({ table, level, index, word }: TableWrite): void {
    const slot = `FIX_${levelName(this.#regime, level)}`;
    this.#map(slot, table);
    const last = this.#steps.at(-1);
    if (last?.step === 'write' && last.page === table && last.index + last.words.length === index) {
      this.#steps[this.#steps.length - 1] = { ...last, words: last.words.concat(word) };
    } else {
      this.#steps.push({ step: 'write', slot, page: table, index, words: [word] });
    }
  }

  /**
   * The whole sequence: what was recorded, the switch, and the release of the early tables.
   * @param final the tables that were observed
   * @param early the live ones, which no table of `final` may be part of
   */
  steps(final: TableSet, early: TableSet): SwitchStep[] {
    for (const slot of [...this.#slots.keys()].reverse()) this.#unmap(slot);
    const { pageSize } = early.regime;
    const freed = Array.from({ length: early.pages }, (_, i) => early.root + i * pageSize);
    return [
      ...this.#steps,
      { step: 'install-idmap' },
      { step: 'reserve-ttbr1' },
      { step: 'invalidate-tlb' },
      { step: 'set-ttbr1', ttbr: final.ttbr },
      { step: 'uninstall-idmap' },
      ...freed.map((page): SwitchStep => ({ step: 'free', page })),
    ];
  }

  #map(slot: string, page: number): void {
    if (this.#slots.get(slot) === page) return;
    this.#unmap(slot);
    this.#slots.set(slot, page);
    this.#steps.push({ step: 'map-slot', slot, page });
  }

  #unmap(slot: string): void {
    const page = this.#slots.get(slot);
    if (page === undefined) return;
    this.#slots.delete(slot);
    this.#steps.push({ step: 'unmap-slot', slot, page });
  }
}
