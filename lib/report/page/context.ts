/** The report's data, what the reader has chosen, and what follows from the choice. */
import { parseVa, type Va } from '../../address.js';
import { type Boot, type BootCounts, isMissing, type ReportData } from '../report-data.js';
import { Choice } from './choice.js';
import { type PlacedBlock, placeModules } from './module-place.js';

/** Stands for the entries of a module that is not loaded in a boot. */
export const NOT_LOADED = -1;

export class Context {
  readonly data: ReportData;
  /** Index of `boots`. */
  readonly boot = new Choice(0);
  /** Index of the modules. */
  readonly module = new Choice<number | undefined>(undefined);
  #placed: { readonly boot: number; readonly blocks: readonly PlacedBlock[] } | undefined;
  #byModule: ReadonlyMap<number, PlacedBlock> | undefined;

  constructor(data: ReportData) {
    this.data = data;
  }

  get chosenBoot(): Boot {
    return this.data.boots[this.boot.value]!;
  }

  /** Run address of `_text` in the chosen boot. */
  get text(): Va {
    return parseVa(this.chosenBoot.text, '_text');
  }

  /** All blocks of all modules in the chosen boot. */
  placed(): readonly PlacedBlock[] {
    const { modules, kernel } = this.data;
    if (isMissing(modules)) return [];
    if (this.#placed?.boot !== this.boot.value) {
      const blocks = placeModules(this.chosenBoot, modules, {
        ...kernel,
        isLoaded: (module) => this.used(module) !== NOT_LOADED,
      });
      this.#placed = { boot: this.boot.value, blocks };
      this.#byModule = new Map(blocks.toReversed().map((block) => [block.module, block]));
    }
    return this.#placed.blocks;
  }

  /** PLT entries that a module uses in the chosen boot; NOT_LOADED, or undefined where nothing is known. */
  used(module: number): number | undefined {
    const counts = this.#counts;
    return counts?.patterns[counts.pattern[this.boot.value]!]?.[module];
  }

  /** Of all modules together. */
  usedTotal(boot = this.boot.value): number | undefined {
    return this.#counts?.totals[boot];
  }

  get #counts(): BootCounts | undefined {
    const { plts } = this.data;
    return isMissing(plts) || isMissing(plts.used) ? undefined : plts.used;
  }

  /** The block of a module that is allocated first. */
  firstBlock(module: number): PlacedBlock | undefined {
    this.placed();
    return this.#byModule?.get(module);
  }
}
