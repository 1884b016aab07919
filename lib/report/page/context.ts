/** The report's data, what the reader has chosen, and what follows from the choice. */
import { parseVa, type Va } from '../../address.js';
import { type Boot, isMissing, type ReportData } from '../report-data.js';
import { Choice } from './choice.js';
import { type PlacedBlock, placeModules } from './module-place.js';

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
      const blocks = placeModules(this.chosenBoot, modules, kernel);
      this.#placed = { boot: this.boot.value, blocks };
      this.#byModule = new Map(blocks.toReversed().map((block) => [block.module, block]));
    }
    return this.#placed.blocks;
  }

  /** The block of a module that is allocated first. */
  firstBlock(module: number): PlacedBlock | undefined {
    this.placed();
    return this.#byModule?.get(module);
  }
}
