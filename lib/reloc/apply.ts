/**
 * Applies relocations to the bytes of one section (AAELF64 5.7, with Linux's ranges).
 *
 * X is a double: exact below 2^53 with an addend of 32 bits, which all real ones have, and computed again by bigint where not. The check
 * comes before the write: a place is untouched unless X fits, where Linux leaves a truncated value behind and refuses the module.
 *
 * All records in one loop, as one by one they take three times as long; what cannot be applied is told to the caller, not thrown, because
 * "out of range" is how a branch asks for a PLT entry.
 */
import type { Va } from '../address.js';
import { RELA_WORDS, type RelaTable } from '../elf/rela-table.js';
import * as column from './column.js';
import { findRelocationRow } from './table.js';
import { relocationValue } from './value.js';

export const OUT_OF_RANGE = 1;
export const UNKNOWN_TYPE = 2;
/** The place does not lie inside the section. */
export const BAD_PLACE = 3;
/** The symbol has no address, or there is no such symbol. */
export const NO_ADDRESS = 4;

/** Why a relocation is not applied. */
export type Refusal = typeof OUT_OF_RANGE | typeof UNKNOWN_TYPE | typeof BAD_PLACE | typeof NO_ADDRESS;

/** Records of a table, `from` to `end` (exclusive). */
export interface RecordRange {
  readonly relas: RelaTable;
  readonly from?: number;
  readonly end?: number;
}

export interface Resolution {
  /** Run address by symbol index; undefined: it has none. */
  readonly symbols: readonly (Va | undefined)[];
  /** Where a record leads instead if S+A is out of its range: the address of a PLT entry, or NaN. */
  readonly detour: (index: number) => number;
  /** Told of each record that is not applied, and why: it throws, or the next record follows. */
  readonly refuse: (index: number, refusal: Refusal) => void;
}

/** MOVZ in bits [30:29] of a move wide instruction; MOVN is 00. */
const MOVZ = 0x40000000;

const TWO_32 = 2 ** 32;
/** Where X begins to be rounded, if the addend is not. */
const EXACT = 2 ** 53;
// Copied because V8 folds a module's own constants but loads imported ones.
const { LINES, LINE, FORM, SIZE, PAGE_OFFSET, KEEP_MASK } = column;
const { LOW_MASK, LOW_SHIFT, HIGH_MASK, HIGH_SHIFT, HIGH_FROM } = column;
const { NUMBERS, NUMBER_LINE, LEAST, END, RELATIVE, SCALE } = column;
const { TYPE_LIMIT, UNKNOWN, NOTHING, DATA32, DATA64, INSTRUCTION, MOVNZ } = column;

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
   * Applies records in order: replaces the field, so that a second application gives the right bytes too. Does not check the
   * alignment of the place or of X, nor what instruction is there: Linux does not.
   * @see Linux 6.12 arch/arm64/kernel/module.c, apply_relocate_add()
   */
  apply({ relas, from = 0, end = relas.count }: RecordRange, { symbols, detour, refuse }: Resolution): void {
    const { words } = relas;
    const { view, address } = this;
    const size = this.bytes.length;
    for (let index = from, at = from * RELA_WORDS; index < end; index++, at += RELA_WORDS) {
      const S = symbols[words[at + 3]! >>> 0];
      if (S === undefined) {
        refuse(index, NO_ADDRESS);
        continue;
      }
      const type = words[at + 2]! >>> 0;
      const line = type * LINE;
      const form = type < TYPE_LIMIT ? LINES[line + FORM]! : UNKNOWN;
      if (form <= NOTHING) {
        if (form === UNKNOWN) refuse(index, UNKNOWN_TYPE);
        continue;
      }
      const offset = words[at]! >>> 0;
      if (words[at + 1] !== 0 || offset + LINES[line + SIZE]! > size) {
        refuse(index, BAD_PLACE);
        continue;
      }
      const numbers = type * NUMBER_LINE;
      const pageOffset = LINES[line + PAGE_OFFSET]!;
      const addend = words[at + 4]!;
      const sum = S + addend;
      const P = address + offset;
      let X = sum - P * NUMBERS[numbers + RELATIVE]!;
      if (pageOffset !== 0) X = sum - (sum & pageOffset) - (P - (P & pageOffset));
      if (words[at + 5] !== addend >> 31 || X <= -EXACT || X >= EXACT) {
        const row = findRelocationRow(type)!;
        const exact = relocationValue(row, { S, A: relas.addend(index), P: P as Va });
        if (!row.range) {
          write(view, offset, {
            line,
            value: Number(BigInt.asIntN(32, exact >> BigInt(row.lsb))),
            high: Number(exact >> 32n),
          });
          continue;
        }
        X = Number(exact);
      }
      const least = NUMBERS[numbers + LEAST]!;
      const limit = NUMBERS[numbers + END]!;
      if (X < least || X >= limit) {
        X = detour(index) - P;
        if (!(X >= least && X < limit)) {
          refuse(index, OUT_OF_RANGE);
          continue;
        }
      }
      write(view, offset, {
        line,
        value: Math.floor(X * NUMBERS[numbers + SCALE]!) | 0,
        high: Math.floor(X / TWO_32) | 0,
      });
    }
  }
}

interface Bits {
  /** Where the type's line begins. */
  readonly line: number;
  /** The 32 bits of X from `lsb` on. */
  readonly value: number;
  /** All bits of X from bit 32 on, signed. */
  readonly high: number;
}

function write(view: DataView, offset: number, { line, value, high }: Bits): void {
  const form = LINES[line + FORM]!;
  if (form < INSTRUCTION) {
    if (form === DATA64) {
      view.setInt32(offset, value, true);
      view.setInt32(offset + 4, high, true);
    } else if (form === DATA32) view.setInt32(offset, value, true);
    else view.setInt16(offset, value, true);
    return;
  }
  let word = view.getInt32(offset, true) & LINES[line + KEEP_MASK]!;
  let immediate = value;
  if (form === MOVNZ) {
    if (high < 0) immediate = ~value;
    else word |= MOVZ;
  }
  word |= (immediate & LINES[line + LOW_MASK]!) << LINES[line + LOW_SHIFT]!;
  word |= ((immediate >>> LINES[line + HIGH_FROM]!) & LINES[line + HIGH_MASK]!) << LINES[line + HIGH_SHIFT]!;
  view.setInt32(offset, word, true);
}
