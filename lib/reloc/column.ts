/**
 * The relocation table compiled for the loop that applies: one line of 32-bit integers per ELF64_R_TYPE, and one of numbers.
 *
 * Lines of one array instead of an array per column, which takes a quarter longer. Every instruction field becomes two masked shifts, the
 * second one empty except for ADR and ADRP, so that their split immediate takes the same path as all others.
 */
import * as field from '../a64/field.js';
import { type Field, RELOCATION_ROWS, type RelocationRow } from './table.js';

/** Types from here on have no line. */
export const TYPE_LIMIT = Math.max(...RELOCATION_ROWS.map((row) => row.type)) + 1;

/** What is written; 0 marks a type that no row names. */
export const UNKNOWN = 0;
export const NOTHING = 1;
const DATA16 = 2;
export const DATA32 = 3;
export const DATA64 = 4;
export const INSTRUCTION = 5;
/** An instruction whose opcode becomes MOVZ or MOVN. */
export const MOVNZ = 6;

/** Length of a line; a power of two, so that its index is a shift. */
export const LINE = 16;
export const FORM = 0;
/** Bytes at the place. */
export const SIZE = 1;
/** The bits that Page() clears: the low 12, or none. */
export const PAGE_OFFSET = 2;
/** The bits of the instruction word that stay. */
export const KEEP_MASK = 3;
/** The immediate's low part, and its high part from bit HIGH_FROM on. */
export const LOW_MASK = 4;
export const LOW_SHIFT = 5;
export const HIGH_MASK = 6;
export const HIGH_SHIFT = 7;
export const HIGH_FROM = 8;

export const LINES = new Int32Array(TYPE_LIMIT * LINE);
/** Length of a line of `NUMBERS`, for what 32 bits do not hold. */
export const NUMBER_LINE = 4;
/** X is out of range below the first and from the second on; infinite where unchecked. */
export const LEAST = 0;
export const END = 1;
/** What P is multiplied by: 1 where it is subtracted whole, else 0. */
export const RELATIVE = 2;
/** What X is multiplied by to bring bit `lsb` to bit 0. */
export const SCALE = 3;

export const NUMBERS = new Float64Array(TYPE_LIMIT * NUMBER_LINE);

const IMMEDIATE: Readonly<Record<Exclude<Field, 'data'>, field.ImmediateField>> = {
  imm26: field.IMM26,
  imm19: field.IMM19,
  imm14: field.IMM14,
  imm12: field.IMM12,
  imm16: field.IMM16,
  movnz: field.IMM16,
  adr: field.IMM_ADR,
};

const DATA_FORM: Readonly<Record<number, number>> = { 0: NOTHING, 16: DATA16, 32: DATA32, 64: DATA64 };

/** Bits [30:29] of a move wide instruction, which tell MOVN, MOVZ and MOVK apart. */
const MOVE_WIDE_OPCODE = 0x60000000;
const PAGE_OFFSET_MASK = 4095;

function compile(row: RelocationRow): void {
  const at = row.type * LINE;
  const isPage = row.op === 'Page(S+A)-Page(P)';
  LINES[at + PAGE_OFFSET] = isPage ? PAGE_OFFSET_MASK : 0;
  const numbers = row.type * NUMBER_LINE;
  NUMBERS[numbers + LEAST] = row.range?.low ?? -Infinity;
  NUMBERS[numbers + END] = row.range?.end ?? Infinity;
  NUMBERS[numbers + RELATIVE] = row.op === 'S+A-P' ? 1 : 0;
  NUMBERS[numbers + SCALE] = 2 ** -row.lsb;
  if (row.field === 'data') {
    LINES[at + FORM] = DATA_FORM[row.len]!;
    LINES[at + SIZE] = row.len / 8;
  } else compileInstruction(at, row, IMMEDIATE[row.field]);
}

function compileInstruction(at: number, row: RelocationRow, { parts, mask }: field.ImmediateField): void {
  // LDST16 and wider fill only the low bits of imm12; the rest of it is cleared.
  const written = 2 ** row.len - 1;
  const [low, high] = parts;
  LINES[at + FORM] = row.field === 'movnz' ? MOVNZ : INSTRUCTION;
  LINES[at + SIZE] = 4;
  LINES[at + KEEP_MASK] = ~(row.field === 'movnz' ? mask | MOVE_WIDE_OPCODE : mask);
  LINES[at + LOW_MASK] = field.partMask(low!) & written;
  LINES[at + LOW_SHIFT] = low!.shift;
  if (high) {
    LINES[at + HIGH_MASK] = field.partMask(high) & (written >>> high.lsb);
    LINES[at + HIGH_SHIFT] = high.shift;
    LINES[at + HIGH_FROM] = high.lsb;
  }
}

RELOCATION_ROWS.forEach(compile);
