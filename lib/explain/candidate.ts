/**
 * Which relocations of a module a message can be about.
 *
 * The kernel names a type and S+A, no place. S is known exactly where the module's or the kernel's addresses are, and its page offset
 * even where they are not, as sections and images begin at pages. The distance S+A-P is fixed within a region. What is known rules
 * candidates out; the rest stays.
 */
import type { Va } from '../address.js';
import * as elf from '../elf/constant.js';
import { PLT_SECTION } from '../module/frobbed-section.js';
import type { SectionPlace } from '../module/layout.js';
import type { PreparedModule } from '../module/load.js';
import type { ModuleAddresses } from '../module/loaded-module.js';
import { isInitRegion } from '../module/loader-rule.js';
import { isBranch } from '../plt/order.js';
import { findRelocationRow, type Range } from '../reloc/table.js';
import { relocationValue } from '../reloc/value.js';
import { FunctionIndex } from '../verify/function-index.js';
import { symbolName } from '../verify/reference.js';

/** An address, or only its offset in a page. */
export interface KnownAddress {
  readonly address: bigint;
  readonly isExact: boolean;
}

/** A module as a message's kernel had it, as far as it is known. */
export interface SearchedModule {
  readonly prepared: PreparedModule;
  /** Where it was; a region left out is not known. */
  readonly addresses?: ModuleAddresses | undefined;
  /** What the kernel exports. */
  readonly exportOf?: ((name: string) => KnownAddress | undefined) | undefined;
}

export interface Query {
  readonly type?: number | undefined;
  readonly symbol?: string | undefined;
  /** S+A. */
  readonly value?: bigint | undefined;
}

export interface Candidate {
  readonly section: string;
  readonly offset: number;
  readonly function: string | undefined;
  readonly symbol: string;
  readonly addend: bigint;
  /** S+A-P in bytes; undefined where it is not known, or no address is involved. */
  readonly distance: bigint | undefined;
}

/** The least page size: every other is a multiple. */
const PAGE = 4096n;

const ZERO = 0 as Va;

const isInRange = ({ low, end }: Range, X: bigint): boolean => X >= BigInt(low) && X < BigInt(end);

const samePageOffset = (a: bigint, b: bigint): boolean => BigInt.asUintN(12, a) === BigInt.asUintN(12, b);

/**
 * All relocations that the query fits, in the order in which the kernel applies them, so that it stopped at the first; if any has
 * exactly its value, only those.
 */
export function findCandidates(module: SearchedModule, query: Query): Candidate[] {
  const search = new Search(module);
  const found: { candidate: Candidate; isExact: boolean }[] = [];
  for (const { target, relas } of module.prepared.frobbed.relocations) {
    const place = module.prepared.layout.places.get(target);
    if (!place) continue;
    for (let i = 0; i < relas.count; i++) {
      const [type, symbol] = [relas.type(i), relas.symbol(i)];
      if (query.type !== undefined && type !== query.type) continue;
      if (symbol >= module.prepared.file.symbols.count) continue;
      if (query.symbol !== undefined && symbolName(module.prepared.file, symbol) !== query.symbol) continue;
      const one = search.judge(
        { target, place, type, symbol, offset: relas.offset(i), addend: relas.addend(i) },
        query,
      );
      if (one) found.push(one);
    }
  }
  const exact = found.filter(({ isExact }) => isExact);
  return (exact.length > 0 ? exact : found).map(({ candidate }) => candidate);
}

/** A relocation and where its section lies in the module. */
interface Site {
  readonly target: number;
  readonly place: SectionPlace;
  readonly type: number;
  readonly symbol: number;
  readonly offset: number;
  readonly addend: bigint;
}

class Search {
  readonly #module: SearchedModule;
  readonly #functions: FunctionIndex;

  constructor(module: SearchedModule) {
    this.#module = module;
    this.#functions = new FunctionIndex(module.prepared.file.symbols);
  }

  judge(site: Site, { value }: Query): { candidate: Candidate; isExact: boolean } | undefined {
    const { file } = this.#module.prepared;
    const { target, offset, symbol, addend, type } = site;
    const row = findRelocationRow(type);
    const known = this.#targetOf(site);
    const isExact =
      value !== undefined && ((known?.isExact === true && known.address === value) || this.#isUnexported(site, value));
    const ends =
      row && row.op !== 'S+A' ? this.#endsOf(site, value ?? (known?.isExact ? known.address : undefined)) : undefined;
    if (value !== undefined) {
      if (!isExact && !this.#mayBe(site, known, value)) return undefined;
      // The kernel would have found nothing wrong.
      if (ends && row?.range && isInRange(row.range, relocationValue(row, ends))) return undefined;
    }
    const candidate = {
      section: file.elf.sections[target]!.name,
      offset,
      function: this.#functions.at(target, offset),
      symbol: symbolName(file, symbol),
      addend,
      distance: ends && BigInt.asIntN(64, ends.A - BigInt(ends.P)),
    };
    return { candidate, isExact };
  }

  /** S+A as an unsigned 64-bit number. */
  #targetOf({ symbol, addend }: Site): KnownAddress | undefined {
    const { file, layout, frobbed } = this.#module.prepared;
    const { symbols } = file;
    const shndx = symbols.shndx(symbol);
    const plus = (base: bigint, isExact: boolean) => ({ address: BigInt.asUintN(64, base + addend), isExact });
    if (symbols.isReserved(symbol))
      return shndx === elf.SHN_ABS ? plus(BigInt(symbols.value(symbol)), true) : undefined;
    if (shndx === elf.SHN_UNDEF) {
      if (symbol === 0) return plus(0n, true);
      const known = this.#module.exportOf?.(symbols.name(symbol));
      return known && plus(known.address, known.isExact);
    }
    const place = layout.places.get(shndx);
    if (shndx === frobbed.percpu || !place) return undefined;
    const base = this.#addressOf(place);
    return plus(BigInt(base ?? place.offset) + BigInt(symbols.value(symbol)), base !== undefined);
  }

  #addressOf(place: SectionPlace): Va | undefined {
    const region = this.#module.addresses?.memory.get(place.region);
    return region === undefined ? undefined : ((region + place.offset) as Va);
  }

  /** S+A (as A) and P, at their addresses or, within one region, as offsets of it: their difference is the same. */
  #endsOf(site: Site, value: bigint | undefined): { readonly S: Va; readonly A: bigint; readonly P: Va } | undefined {
    const { place, offset, symbol, addend } = site;
    const { file, layout } = this.#module.prepared;
    const base = this.#addressOf(place);
    if (base !== undefined && value !== undefined) return { S: ZERO, A: value, P: (base + offset) as Va };
    const target = file.symbols.isReserved(symbol) ? undefined : layout.places.get(file.symbols.shndx(symbol));
    if (target?.region !== place.region) return undefined;
    const A = BigInt(target.offset) + BigInt(file.symbols.value(symbol)) + addend;
    return { S: ZERO, A, P: (place.offset + offset) as Va };
  }

  /** A weak symbol that nobody exports is 0. */
  #isUnexported({ symbol, addend }: Site, value: bigint): boolean {
    const { symbols } = this.#module.prepared.file;
    const isWeak =
      !symbols.isReserved(symbol) && symbols.shndx(symbol) === elf.SHN_UNDEF && symbols.bind(symbol) === elf.STB_WEAK;
    return isWeak && value === BigInt.asUintN(64, addend);
  }

  #mayBe(site: Site, known: KnownAddress | undefined, value: bigint): boolean {
    if (isBranch(site.type) && this.#isPltEntry(site, value)) return true;
    // What is not known is another module's or a per-CPU variable: an address of the kernel in any case.
    if (!known) return BigInt.asIntN(64, value) < 0n;
    return !known.isExact && samePageOffset(known.address, value);
  }

  /** A branch that asked for a PLT entry in vain is reported with the entry's address. */
  #isPltEntry({ target, place }: Site, value: bigint): boolean {
    const { frobbed, layout, environment } = this.#module.prepared;
    if (!(frobbed.sections[target]!.sh_flags & elf.SHF_EXECINSTR)) return false;
    const part = isInitRegion(place.region) && environment.rule.plt.initSection ? 'init' : 'core';
    const plt = frobbed.sections.find(({ section }) => section.name === PLT_SECTION[part]);
    const at = plt && layout.places.get(plt.section.index);
    if (!plt || !at) return false;
    const base = this.#addressOf(at);
    const size = BigInt(plt.sh_size);
    if (base === undefined) return size >= PAGE || BigInt.asUintN(12, value - BigInt(at.offset)) < size;
    const distance = BigInt.asIntN(64, value - BigInt(base));
    return distance >= 0n && distance < size;
  }
}
