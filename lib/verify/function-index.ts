/** Which function an offset of a section lies in. */
import { STT_FUNC } from '../elf/constant.js';
import type { SymbolTable } from '../elf/symbol-table.js';
import { lastNotAfter } from './offset-search.js';

export interface Extent {
  readonly offset: number;
  /** Infinite for a function without a size, as hand-written assembly has: it lasts until the next one. */
  readonly end: number;
  readonly symbol: number;
}

export class FunctionIndex {
  readonly #symbols: SymbolTable;
  readonly #bySection = new Map<number, Extent[]>();

  constructor(symbols: SymbolTable) {
    this.#symbols = symbols;
    for (let symbol = 1; symbol < symbols.count; symbol++) {
      if (symbols.type(symbol) !== STT_FUNC || symbols.isReserved(symbol)) continue;
      const offset = symbols.value(symbol);
      const extents = this.#bySection.get(symbols.shndx(symbol)) ?? [];
      extents.push({ offset, end: offset + (symbols.size(symbol) || Number.POSITIVE_INFINITY), symbol });
      this.#bySection.set(symbols.shndx(symbol), extents);
    }
    for (const extents of this.#bySection.values()) extents.sort((a, b) => a.offset - b.offset);
  }

  /** The functions of a section, in ascending order. */
  in(section: number): readonly Extent[] {
    return this.#bySection.get(section) ?? [];
  }

  /** The name of the last function that begins at or before `offset`, if it reaches that far. */
  at(section: number, offset: number): string | undefined {
    const extent = lastNotAfter(this.in(section), offset);
    return extent && offset < extent.end ? this.#symbols.name(extent.symbol) : undefined;
  }
}
