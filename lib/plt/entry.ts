/**
 * PLT entries and veneers as words: they load an address into a register and branch.
 *
 * Since 5.0 the address is loaded by ADRP and ADD, relative to the entry; before, by MOVN and two MOVK, which hold
 * bits [47:0] and set the rest. The last word is `br x16` in an entry and `b` in a veneer.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, get_plt_entry(), plt_entries_equal(); 4.19 asm/module.h
 */

import { IMM_ADR, IMM12, IMM16, type ImmediateField, readField } from '../a64/field.js';
import * as a64 from '../a64/instruction.js';
import { fromHalves, high32, low32, type Va } from '../address.js';
import { alignDown, bits, signExtend } from '../bits.js';
import { PltError } from '../errors.js';

/** What Linux writes where an instruction cannot be built: BRK #0x100, AARCH64_BREAK_FAULT. */
export const BREAK_FAULT = 0xd4202000;

/** The granule of ADRP, whatever the page size. */
export const ADRP_PAGE = 4096;

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
  /** Writes the words that put `destination` into Xrd: all of an entry but the last. */
  load(entry: PlacedEntry, rd: number, destination: Va): void;
  /** Where an entry leads, as the kernel decodes it; undefined if it does not begin as it should. */
  destination(entry: PlacedEntry): number | undefined;
  /** Whether the kernel takes two entries for the same. */
  equal(a: PlacedEntry, b: PlacedEntry): boolean;
}

function readWord({ view, offset }: PlacedEntry, index: number): number {
  return view.getInt32(offset + 4 * index, true);
}

function writeWord({ view, offset }: PlacedEntry, index: number, word: number): void {
  view.setInt32(offset + 4 * index, word, true);
}

const REGISTERS = Array.from({ length: 32 }, (_, rd) => rd);
/** ADRP and ADD into each register, their immediates 0: a module has hundreds of entries, nearly all of one register. */
const ADRP_OF = REGISTERS.map((rd) => a64.adrp({ rd, distance: 0 })!);
const ADD_OF = REGISTERS.map((rd) => a64.addImmediate({ rd, imm12: 0 }));

/** The bits of an instruction whose field holds `value`. */
function immediate({ parts }: ImmediateField, value: number): number {
  let word = 0;
  for (const { lsb, width, shift } of parts) word |= bits(value, lsb + width - 1, lsb) << shift;
  return word;
}

const BR_X16 = a64.branchRegister(a64.X16);

export const ADRP_ENTRY: EntryKind = {
  size: 12,
  usesAdrp: true,

  load(entry, rd, destination) {
    // The kernel keeps 32 bits of the distance in pages: from 8 TiB on, a wrong distance can pass for a near one.
    const distance = Math.floor((destination - alignDown(entry.place, ADRP_PAGE)) / ADRP_PAGE) | 0;
    const isInReach = signExtend(distance, IMM_ADR.width) === distance;
    writeWord(entry, 0, isInReach ? ADRP_OF[rd]! | immediate(IMM_ADR, distance) : BREAK_FAULT);
    writeWord(entry, 1, ADD_OF[rd]! | immediate(IMM12, low32(destination)));
  },

  destination(entry) {
    const adrp = readWord(entry, 0);
    if (!a64.isAdrp(adrp)) return undefined;
    return alignDown(entry.place, ADRP_PAGE) + a64.adrpDistance(adrp) + readField(readWord(entry, 1), IMM12);
  },

  equal(a, b) {
    if (readWord(a, 1) !== readWord(b, 1) || readWord(a, 2) !== readWord(b, 2)) return false;
    if (readWord(a, 0) === readWord(b, 0) && alignDown(a.place, ADRP_PAGE) === alignDown(b.place, ADRP_PAGE))
      return true;
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

  load(entry, rd, destination) {
    const low = low32(destination);
    writeWord(entry, 0, a64.movn({ rd, imm16: ~low, shift: 0 }));
    writeWord(entry, 1, a64.movk({ rd, imm16: low >>> 16, shift: 16 }));
    writeWord(entry, 2, a64.movk({ rd, imm16: high32(destination), shift: 32 }));
  },

  destination(entry) {
    const low = (readField(readWord(entry, 1), IMM16) << 16) | (~readField(readWord(entry, 0), IMM16) & 0xffff);
    return fromHalves(readField(readWord(entry, 2), IMM16) - 0x10000, low32(low));
  },

  equal(a, b) {
    return [0, 1, 2].every((index) => readWord(a, index) === readWord(b, index));
  },
};

/** Writes an entry that continues at `destination`, whatever the distance. */
export function writeEntry(kind: EntryKind, entry: PlacedEntry, destination: Va): void {
  kind.load(entry, a64.X16, destination);
  writeWord(entry, kind.size / 4 - 1, BR_X16);
}

export interface Veneer {
  readonly rd: number;
  /** What Xrd is to hold. */
  readonly page: Va;
  /** Where it continues. */
  readonly next: Va;
}

/** Writes a veneer, which has the size of an entry. */
export function writeVeneer(kind: EntryKind, entry: PlacedEntry, { rd, page, next }: Veneer): void {
  const last = kind.size / 4 - 1;
  kind.load(entry, rd, page);
  writeWord(entry, last, a64.branch(next - (entry.place + 4 * last)) ?? BREAK_FAULT);
}
