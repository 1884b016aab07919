/**
 * Literal pools: data among the code of a section, from which `ldr xN, =symbol` takes addresses.
 *
 * A pool is known by the mapping symbols of AAELF64 5.5.4 ($d begins data, $x code), or by an ABS64 relocation at the very
 * place, which code never has: modules may be stripped of mapping symbols.
 */
import { SHF_EXECINSTR } from '../elf/constant.js';
import type { SymbolTable } from '../elf/symbol-table.js';
import { R_AARCH64_ABS64 } from './limit.js';
import { lastNotAfter } from './offset-search.js';
import type { Reference } from './reference.js';

const MAPPING = /^\$([dx])(\.|$)/;

interface Mark {
  readonly offset: number;
  readonly isData: boolean;
}

export class LiteralPools {
  readonly #marks = new Map<number, Mark[]>();
  readonly #addresses = new Map<number, Set<number>>();

  constructor(symbols: SymbolTable, references: Iterable<Reference>) {
    for (let symbol = 1; symbol < symbols.count; symbol++) {
      const kind = symbols.isReserved(symbol) ? undefined : MAPPING.exec(symbols.name(symbol))?.[1];
      if (kind === undefined) continue;
      const marks = this.#marks.get(symbols.shndx(symbol)) ?? [];
      marks.push({ offset: symbols.value(symbol), isData: kind === 'd' });
      this.#marks.set(symbols.shndx(symbol), marks);
    }
    for (const marks of this.#marks.values()) marks.sort((a, b) => a.offset - b.offset);
    for (const reference of references) {
      if (!isPoolEntry(reference)) continue;
      const { index } = reference.section;
      this.#addresses.set(index, (this.#addresses.get(index) ?? new Set()).add(reference.offset));
    }
  }

  /** Whether an executable section holds data at `offset`. */
  has(section: number, offset: number): boolean {
    if (this.#addresses.get(section)?.has(offset)) return true;
    return lastNotAfter(this.#marks.get(section) ?? [], offset)?.isData ?? false;
  }
}

/** An address in the code. */
export function isPoolEntry({ type, section }: Reference): boolean {
  return type === R_AARCH64_ABS64 && (section.sh_flags & SHF_EXECINSTR) !== 0;
}
