/**
 * Where a module's symbols are, without addresses: each belongs to a frame that moves as one (the image, a region of the
 * module, another module) and has a fixed offset in it.
 * @see Linux 6.1 kernel/module/main.c, simplify_symbols(); lib/module/symbol-resolution.ts does it with addresses
 */
import * as elf from '../elf/constant.js';
import type { PreparedModule } from '../module/load.js';

/** Nowhere near the kernel, wherever that is: an absolute value, 0 for a weak symbol that nobody defines. */
export const NOWHERE = -2;
/** The kernel image; offsets count from `_text`. */
export const IMAGE = -1;
/** Frames from here on are imports; those from 0 to here are the module's own regions, in the order of allocation. */
export const FIRST_IMPORT = 16;

/** A symbol that the kernel does not export: another module has to. */
export interface Import {
  readonly name: string;
  /** Weak: resolves to 0 where no module exports it. */
  readonly isWeak: boolean;
}

/** Frames and offsets of a module's symbols, found when they are first asked for. */
export class SymbolDestinations {
  readonly imports: Import[] = [];
  readonly #prepared: PreparedModule;
  readonly #kernelExport: (name: string) => number | undefined;
  readonly #frames: Int32Array;
  readonly #offsets: Float64Array;

  /** @param kernelExport the offset from `_text` of an export of the kernel */
  constructor(prepared: PreparedModule, kernelExport: (name: string) => number | undefined) {
    const { count } = prepared.file.symbols;
    this.#prepared = prepared;
    this.#kernelExport = kernelExport;
    this.#frames = new Int32Array(count).fill(UNKNOWN);
    this.#offsets = new Float64Array(count);
  }

  /** @param symbol an index that the table has */
  frame(symbol: number): number {
    if (this.#frames[symbol] === UNKNOWN) this.#resolve(symbol);
    return this.#frames[symbol]!;
  }

  /** Offset in the frame; for NOWHERE the value itself. */
  offset(symbol: number): number {
    if (this.#frames[symbol] === UNKNOWN) this.#resolve(symbol);
    return this.#offsets[symbol]!;
  }

  #resolve(symbol: number): void {
    const [frame, offset] = this.#find(symbol);
    this.#frames[symbol] = frame;
    this.#offsets[symbol] = offset;
  }

  #find(symbol: number): readonly [frame: number, offset: number] {
    const { file, frobbed, layout, environment } = this.#prepared;
    const { symbols } = file;
    const shndx = symbols.shndx(symbol);
    if (symbols.isReserved(symbol)) return [NOWHERE, shndx === elf.SHN_ABS ? symbols.value(symbol) : 0];
    if (shndx === elf.SHN_UNDEF) return this.#findUndefined(symbol);
    const place = layout.places.get(shndx);
    // Sections that are not loaded are at 0; where per-CPU data goes does not follow from any seed.
    if (!place || shndx === frobbed.percpu) return [NOWHERE, symbols.value(symbol)];
    return [environment.rule.scheme.regions.indexOf(place.region), place.offset + symbols.value(symbol)];
  }

  #findUndefined(symbol: number): readonly [frame: number, offset: number] {
    const { symbols } = this.#prepared.file;
    if (symbol === 0) return [NOWHERE, 0];
    const name = symbols.name(symbol);
    const offset = this.#kernelExport(name);
    if (offset !== undefined) return [IMAGE, offset];
    this.imports.push({ name, isWeak: symbols.bind(symbol) === elf.STB_WEAK });
    return [FIRST_IMPORT + this.imports.length - 1, 0];
  }
}

const UNKNOWN = -0x8000_0000;
