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
import { type PlacedEntry, writeEntry, writeVeneer } from './entry.js';
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
  #repeated = Number.NaN;
  #repeatedEntry = 0 as Va;
  readonly #view: DataView;
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
    if (destination === this.#repeated) return this.#repeatedEntry;
    const { entry: kind } = this.format;
    const previous = this.#used - 1;
    const slot = this.#isForbidden(this.#used) ? this.#used + 1 : this.#used;
    const entry = this.#entry(slot);
    writeEntry(kind, entry, destination);
    if (previous >= 0 && kind.equal(entry, this.#entry(previous))) {
      this.#repeated = destination;
      this.#repeatedEntry = this.#addressOf(previous);
      return this.#repeatedEntry;
    }
    this.#repeated = Number.NaN;
    this.#take(slot - previous);
    return entry.place;
  }

  #emitOnce(destination: Va, symbol: number | undefined): Va {
    const existing = symbol === undefined ? undefined : this.#entryOfSymbol.get(symbol);
    if (existing !== undefined) return existing;
    const entry = this.#entry(this.#used);
    this.#take(1);
    writeEntry(this.format.entry, entry, destination);
    if (symbol !== undefined) this.#entryOfSymbol.set(symbol, entry.place);
    return entry.place;
  }

  /**
   * The address of a veneer that does the work of an ADRP and returns behind it. Every one is new.
   * @throws PltError EXHAUSTED as `emit`; a slot skipped here is taken without a check, as the kernel does
   */
  emitVeneer({ word, place, page }: ForbiddenAdrp): Va {
    let slot = this.#used;
    this.#repeated = Number.NaN;
    this.#take(1);
    this.#veneers++;
    if (this.#isForbidden(slot)) slot = this.#used++;
    const next = (place + 4) as Va;
    const entry = this.#entry(slot);
    writeVeneer(this.format.entry, entry, { rd: destinationRegister(word), page, next });
    return entry.place;
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
    const { size } = this.format.entry;
    const offset = slot * size;
    const place = this.#addressOf(slot);
    return offset + size <= this.#view.byteLength
      ? { view: this.#view, offset, place }
      : { view: BEYOND, offset: 0, place };
  }
}

/** Stands for the bytes behind a section: a full PLT whose next slot is forbidden makes the kernel write there. */
const BEYOND = new DataView(new ArrayBuffer(16));
