/**
 * PLT entries and veneers as words: they load an address into a register and branch.
 *
 * Since 5.0 the address is loaded by ADRP and ADD, relative to the entry; before, by MOVN and two MOVK, which hold
 * bits [47:0] and set the rest. The last word is `br x16` in an entry and `b` in a veneer.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, get_plt_entry(), plt_entries_equal(); 4.19 asm/module.h
 */

import { IMM12, IMM16, readField } from '../a64/field.js';
import * as a64 from '../a64/instruction.js';
import { fromHalves, high32, low32, type Va } from '../address.js';
import { alignDown } from '../bits.js';
import { PltError } from '../errors.js';

/** What Linux writes where an instruction cannot be built: BRK #0x100, AARCH64_BREAK_FAULT. */
export const BREAK_FAULT = 0xd4202000;

/** The granule of ADRP, whatever the page size. */
export const ADRP_PAGE = 4096;

interface Load {
  readonly rd: number;
  readonly destination: Va;
  /** Address of the load itself. */
  readonly place: Va;
}

/** An entry in memory. */
export interface PlacedEntry {
  readonly view: DataView;
  readonly offset: number;
  readonly place: Va;
}

export interface EntryKind {
  /** Bytes of an entry, the branch included. */
  readonly size: number;
  /** Whether an entry begins with an ADRP, which erratum 843419 forbids at some places. */
  readonly usesAdrp: boolean;
  /** The words that put `destination` into Xrd. */
  load(operands: Load): readonly number[];
  /** Where an entry leads, as the kernel decodes it; undefined if it does not begin as it should. */
  destination(entry: PlacedEntry): number | undefined;
  /** Whether the kernel takes two entries for the same. */
  equal(a: PlacedEntry, b: PlacedEntry): boolean;
}

const word = ({ view, offset }: PlacedEntry, index: number): number => view.getUint32(offset + 4 * index, true);

export const ADRP_ENTRY: EntryKind = {
  size: 12,
  usesAdrp: true,

  load({ rd, destination, place }) {
    // The kernel keeps 32 bits of the distance in pages: from 8 TiB on, a wrong distance can pass for a near one.
    const distance = Math.floor((destination - alignDown(place, ADRP_PAGE)) / ADRP_PAGE) | 0;
    return [a64.adrp({ rd, distance }) ?? BREAK_FAULT, a64.addImmediate({ rd, imm12: low32(destination) })];
  },

  destination(entry) {
    const adrp = word(entry, 0);
    if (!a64.isAdrp(adrp)) return undefined;
    return alignDown(entry.place, ADRP_PAGE) + a64.adrpDistance(adrp) + readField(word(entry, 1), IMM12);
  },

  equal(a, b) {
    if (word(a, 1) !== word(b, 1) || word(a, 2) !== word(b, 2)) return false;
    if (word(a, 0) === word(b, 0) && alignDown(a.place, ADRP_PAGE) === alignDown(b.place, ADRP_PAGE)) return true;
    const [first, second] = [ADRP_ENTRY.destination(a), ADRP_ENTRY.destination(b)];
    if (first === undefined || second === undefined) {
      throw new PltError('UNREACHABLE', 'a PLT entry leads further than ADRP reaches: the kernel stops with BUG()');
    }
    return first === second;
  },
};

export const MOVN_ENTRY: EntryKind = {
  size: 16,
  usesAdrp: false,

  load({ rd, destination }) {
    const low = low32(destination);
    return [
      a64.movn({ rd, imm16: ~low, shift: 0 }),
      a64.movk({ rd, imm16: low >>> 16, shift: 16 }),
      a64.movk({ rd, imm16: high32(destination), shift: 32 }),
    ];
  },

  destination(entry) {
    const low = (readField(word(entry, 1), IMM16) << 16) | (~readField(word(entry, 0), IMM16) & 0xffff);
    return fromHalves(readField(word(entry, 2), IMM16) - 0x10000, low32(low));
  },

  equal(a, b) {
    return [0, 1, 2].every((index) => word(a, index) === word(b, index));
  },
};

/** The words of an entry that continues at `destination`, whatever the distance. */
export function entryWords(kind: EntryKind, { destination, place }: Omit<Load, 'rd'>): readonly number[] {
  return [...kind.load({ rd: a64.X16, destination, place }), a64.branchRegister(a64.X16)];
}

/** The words of a veneer that loads `destination` into Xrd and returns to `next`. */
export function veneerWords(kind: EntryKind, operands: Load & { readonly next: Va }): readonly number[] {
  const load = kind.load(operands);
  const distance = operands.next - (operands.place + 4 * load.length);
  return [...load, a64.branch(distance) ?? BREAK_FAULT];
}
