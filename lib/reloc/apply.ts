/**
 * Applies one relocation after another to the bytes of one section (AAELF64 5.7, with Linux's ranges).
 *
 * X is computed modulo 2^64 in two 32-bit halves, so that an addend that is no address is never rounded; it is
 * checked as a double, which rounds only beyond 2^53, far from every bound. The check comes before the write: a
 * place is untouched unless the status is OK, where Linux leaves a truncated value behind and refuses the module.
 * A result is a status, not an exception, because "out of range" is how a branch asks for a PLT entry.
 */
import { high32, low32, type Va } from '../address.js';
import { RELA_WORDS, type RelaTable } from '../elf/rela-table.js';
import * as column from './column.js';

export const OK = 0;
export const OUT_OF_RANGE = 1;
export const UNKNOWN_TYPE = 2;
/** The place does not lie inside the section. */
export const BAD_PLACE = 3;

export type RelocationStatus = typeof OK | typeof OUT_OF_RANGE | typeof UNKNOWN_TYPE | typeof BAD_PLACE;

/** One relocation, spelled out. */
export interface Relocation {
  readonly type: number;
  /** r_offset: the place relative to its section. */
  readonly offset: number;
  readonly S: Va;
  /** Any 64-bit number, signed or unsigned; 0 if absent. */
  readonly A?: bigint;
}

/** MOVZ in bits [30:29] of a move wide instruction; MOVN is 00. */
const MOVZ = 0x40000000;

const TWO_32 = 2 ** 32;
// Copied because V8 folds a module's own constants but loads imported ones: 23 ns a relocation instead of 27.
const { LINES, BOUNDS, LINE, FORM, SIZE, SUM_MASK, PLACE_MASK, RELATIVE, LSB } = column;
const { KEEP_MASK, LOW_MASK, LOW_SHIFT, HIGH_MASK, HIGH_SHIFT, HIGH_FROM } = column;
const { TYPE_LIMIT, NOTHING, DATA32, DATA64, INSTRUCTION, MOVNZ } = column;

/** A section's bytes and the address they run at. */
export class RelocatableSection {
  readonly bytes: Uint8Array;
  readonly address: Va;
  readonly view: DataView;

  /** @param bytes written in place */
  constructor(bytes: Uint8Array, address: Va) {
    this.bytes = bytes;
    this.address = address;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /**
   * Applies record `index` of `relas`, its symbol resolved to `S`: replaces the field, so that a second application
   * gives the right bytes too. Does not check the alignment of the place or of X, nor what instruction is there:
   * Linux does not.
   * @see Linux 6.12 arch/arm64/kernel/module.c, apply_relocate_add()
   */
  apply(relas: RelaTable, index: number, S: Va): RelocationStatus {
    const { words } = relas;
    const at = index * RELA_WORDS;
    return this.#write(words[at + 2]! >>> 0, relas.offset(index), S, words[at + 4]!, words[at + 5]!);
  }

  /** `apply` for a relocation that is in no table. */
  applyOne({ type, offset, S, A }: Relocation): RelocationStatus {
    if (A === undefined) return this.#write(type, offset, S, 0, 0);
    return this.#write(type, offset, S, Number(BigInt.asIntN(32, A)), Number(BigInt.asIntN(32, A >> 32n)));
  }

  /** The addend comes in halves, low first: an object per relocation would cost more than the relocation. */
  #write(type: number, offset: number, S: Va, addendLow: number, addendHigh: number): RelocationStatus {
    if (type >= TYPE_LIMIT) return UNKNOWN_TYPE;
    const line = type * LINE;
    const form = LINES[line + FORM]!;
    if (form <= NOTHING) return form === NOTHING ? OK : UNKNOWN_TYPE;
    if (offset + LINES[line + SIZE]! > this.bytes.length) return BAD_PLACE;

    const P = this.address + offset;
    const sum = low32(S) + (addendLow >>> 0);
    const difference = low32(sum & LINES[line + SUM_MASK]!) - low32(P & LINES[line + PLACE_MASK]!);
    const low = difference | 0;
    const carry = (sum >= TWO_32 ? 1 : 0) - (difference < 0 ? 1 : 0);
    const high = (high32(S) + addendHigh - (high32(P) & LINES[line + RELATIVE]!) + carry) | 0;

    const X = high * TWO_32 + low32(low);
    if (X < BOUNDS[type * 2]! || X >= BOUNDS[type * 2 + 1]!) return OUT_OF_RANGE;

    const { view } = this;
    if (form < INSTRUCTION) {
      if (form === DATA64) {
        view.setInt32(offset, low, true);
        view.setInt32(offset + 4, high, true);
      } else if (form === DATA32) view.setInt32(offset, low, true);
      else view.setInt16(offset, low, true);
      return OK;
    }
    const lsb = LINES[line + LSB]!;
    // Two shifts, because a shift by 32 is a shift by 0 in JavaScript.
    let value = lsb < 32 ? (low >>> lsb) | ((high << (31 - lsb)) << 1) : high >>> (lsb - 32);
    let word = view.getInt32(offset, true) & LINES[line + KEEP_MASK]!;
    if (form === MOVNZ) {
      if (high < 0) value = ~value;
      else word |= MOVZ;
    }
    word |= (value & LINES[line + LOW_MASK]!) << LINES[line + LOW_SHIFT]!;
    value >>>= LINES[line + HIGH_FROM]!;
    word |= (value & LINES[line + HIGH_MASK]!) << LINES[line + HIGH_SHIFT]!;
    view.setInt32(offset, word, true);
    return OK;
  }
}
