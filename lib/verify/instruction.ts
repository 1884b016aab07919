/**
 * The A64 instructions that MOVW groups are made of and followed through: move wide, register move, branches (Arm ARM C4.1, C6.2).
 */
import { IMM14, IMM19, IMM26, type ImmediateField, readField } from '../a64/field.js';
import { signExtend } from '../bits.js';

/** `set`: MOVZ or MOVN, which replace the register; `keep`: MOVK, which keeps its other bits. */
export interface MoveWide {
  readonly kind: 'set' | 'keep';
  readonly isInverted: boolean;
  /** Lowest of the 16 bits that are written. */
  readonly lsb: number;
}

/** MOVZ, MOVN, MOVK of 64 bits: bits [30:29] tell them apart, [22:21] hold the shift. */
const MOVE_WIDE_MASK = 0x9f800000;
const MOVE_WIDE = 0x92800000;
const MOVN = 0;
const MOVK = 3;

/** Undefined for all others, those of 32 bits included: no address fits them. */
export function moveWide(word: number): MoveWide | undefined {
  if ((word & MOVE_WIDE_MASK) >>> 0 !== MOVE_WIDE) return undefined;
  const opc = (word >>> 29) & 3;
  return { kind: opc === MOVK ? 'keep' : 'set', isInverted: opc === MOVN, lsb: 16 * ((word >>> 21) & 3) };
}

/** MOV Xd, Xm: ORR Xd, XZR, Xm. */
const MOV_MASK = 0xffe0ffe0;
const MOV = 0xaa0003e0;

/** The register that is copied by MOV Xd, Xm. */
export function movedRegister(word: number): number | undefined {
  return (word & MOV_MASK) >>> 0 === MOV ? (word >>> 16) & 0x1f : undefined;
}

interface Branch {
  readonly mask: number;
  readonly opcode: number;
  /** Whether the next instruction may follow as well. */
  readonly falls: boolean;
  /** Absent: to where a register says. */
  readonly distance?: ImmediateField;
}

const BRANCHES: readonly Branch[] = [
  { mask: 0xfc000000, opcode: 0x14000000, falls: false, distance: IMM26 }, // B
  { mask: 0xff000000, opcode: 0x54000000, falls: true, distance: IMM19 }, // B.cond, BC.cond
  { mask: 0x7e000000, opcode: 0x34000000, falls: true, distance: IMM19 }, // CBZ, CBNZ
  { mask: 0x7e000000, opcode: 0x36000000, falls: true, distance: IMM14 }, // TBZ, TBNZ
  { mask: 0xfefff000, opcode: 0xd61f0000, falls: false }, // BR, BRAA, BRAB
  { mask: 0xfffff000, opcode: 0xd65f0000, falls: false }, // RET, RETAA, RETAB
  { mask: 0xfffff000, opcode: 0xd69f0000, falls: false }, // ERET
];

/** What may follow an instruction other than the next one. Calls return and count as none. */
export interface Departure {
  readonly falls: boolean;
  /** In bytes from the branch. */
  readonly distance: number | undefined;
}

export function departureOf(word: number): Departure | undefined {
  const branch = BRANCHES.find(({ mask, opcode }) => (word & mask) >>> 0 === opcode);
  if (!branch) return undefined;
  const { falls, distance: field } = branch;
  return { falls, distance: field && 4 * signExtend(readField(word, field), field.width) };
}
