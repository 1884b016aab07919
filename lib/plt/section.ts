/**
 * A PLT being filled: which slot an entry or a veneer takes, as the kernel decides it.
 *
 * Since 4.12 an entry is written into the next slot first and compared with the previous one then, so that a duplicate leaves its
 * bytes behind, in a slot that the next entry overwrites. If none follows, they stay: images equal the kernel's
 * only if this is done in the same order.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, module_emit_plt_entry(), module_emit_veneer_for_adrp()
 */

import { destinationRegister } from '../a64/instruction.js';
import { formatVa, type Va } from '../address.js';
import { PltError } from '../errors.js';
import { entryWords, type PlacedEntry, veneerWords } from './entry.js';
import { isForbiddenForAdrp } from './erratum.js';
import type { PltFormat } from './format.js';

export interface PltSectionOptions {
  readonly format: PltFormat;
  /** The section's bytes, `pltSectionSize` of them; written in place. */
  readonly bytes: Uint8Array;
  readonly address: Va;
  /** Entries counted for this section. */
  readonly reserved: number;
  /** Whether the CPU has the erratum and the kernel works around it. */
  readonly erratum843419: boolean;
}

/** An ADRP that needs a veneer. */
export interface ForbiddenAdrp {
  readonly word: number;
  readonly place: Va;
  /** The page whose address it is to load. */
  readonly page: Va;
}

export class PltSection {
  readonly format: PltFormat;
  readonly address: Va;
  readonly reserved: number;
  readonly erratum843419: boolean;
  #used = 0;
  #veneers = 0;
  /** The destination that was asked for twice last, its duplicate left behind, and the entry it got. */
  #repeated: { readonly destination: Va; readonly entry: Va } | undefined;
  readonly #view: DataView;
  /** Stands for the bytes behind the section: a full PLT whose next slot is forbidden makes the kernel write there. */
  readonly #beyond = new DataView(new ArrayBuffer(16));
  readonly #entryOfSymbol = new Map<number, Va>();

  constructor({ format, bytes, address, reserved, erratum843419 }: PltSectionOptions) {
    this.format = format;
    this.address = address;
    this.reserved = reserved;
    this.erratum843419 = erratum843419;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The kernel's plt_num_entries: counts slots skipped for the erratum, and not a duplicate left behind. */
  get used(): number {
    return this.#used;
  }

  /** How many of the slots hold veneers. */
  get veneers(): number {
    return this.#veneers;
  }

  /**
   * The address of an entry that leads to `destination`, an existing one if the kernel would find it.
   * @param symbol index of the symbol if the branch has no addend; only kernels before 4.12 look at it
   * @throws PltError EXHAUSTED if no reserved entry is left: the kernel warns and refuses the module
   * @throws PltError UNREACHABLE where the kernel meets BUG()
   */
  emit(destination: Va, symbol?: number): Va {
    return this.format.reuse === 'symbol' ? this.#emitOnce(destination, symbol) : this.#emitNext(destination);
  }

  #emitNext(destination: Va): Va {
    // What follows would write the same words into the same slot again: half of all branches of a module.
    if (this.#repeated?.destination === destination) return this.#repeated.entry;
    const previous = this.#used - 1;
    const slot = this.#isForbidden(this.#used) ? this.#used + 1 : this.#used;
    const entry = this.#write(slot, entryWords(this.format.entry, { destination, place: this.#addressOf(slot) }));
    if (previous >= 0 && this.format.entry.equal(entry, this.#entry(previous))) {
      this.#repeated = { destination, entry: this.#addressOf(previous) };
      return this.#repeated.entry;
    }
    this.#repeated = undefined;
    this.#take(slot - previous);
    return entry.place;
  }

  #emitOnce(destination: Va, symbol: number | undefined): Va {
    const existing = symbol === undefined ? undefined : this.#entryOfSymbol.get(symbol);
    if (existing !== undefined) return existing;
    const slot = this.#used;
    this.#take(1);
    const { place } = this.#write(slot, entryWords(this.format.entry, { destination, place: this.#addressOf(slot) }));
    if (symbol !== undefined) this.#entryOfSymbol.set(symbol, place);
    return place;
  }

  /**
   * The address of a veneer that does the work of an ADRP and returns behind it. Every one is new.
   * @throws PltError EXHAUSTED as `emit`; a slot skipped here is taken without a check, as the kernel does
   */
  emitVeneer({ word, place, page }: ForbiddenAdrp): Va {
    let slot = this.#used;
    this.#repeated = undefined;
    this.#take(1);
    this.#veneers++;
    if (this.#isForbidden(slot)) slot = this.#used++;
    const next = (place + 4) as Va;
    const rd = destinationRegister(word);
    const words = veneerWords(this.format.entry, { rd, destination: page, place: this.#addressOf(slot), next });
    return this.#write(slot, words).place;
  }

  #take(count: number): void {
    this.#used += count;
    if (this.#used > this.reserved) {
      throw new PltError(
        'EXHAUSTED',
        `PLT at ${formatVa(this.address)} is full: entry ${this.#used} of ${this.reserved} was asked for`,
        { used: this.#used, reserved: this.reserved },
      );
    }
  }

  #isForbidden(slot: number): boolean {
    return this.erratum843419 && this.format.entry.usesAdrp && isForbiddenForAdrp(this.#addressOf(slot));
  }

  #addressOf(slot: number): Va {
    return (this.address + slot * this.format.entry.size) as Va;
  }

  #entry(slot: number): PlacedEntry {
    return { view: this.#view, offset: slot * this.format.entry.size, place: this.#addressOf(slot) };
  }

  #write(slot: number, words: readonly number[]): PlacedEntry {
    const inside = (slot + 1) * this.format.entry.size <= this.#view.byteLength;
    const entry = inside ? this.#entry(slot) : { view: this.#beyond, offset: 0, place: this.#addressOf(slot) };
    words.forEach((word, index) => {
      entry.view.setUint32(entry.offset + 4 * index, word, true);
    });
    return entry;
  }
}
