/**
 * The few A64 instructions that decide whether a MOVW group is whole: move wide, register move, loads and stores, branches
 * (Arm ARM C4.1, C6.2).
 */
import { IMM14, IMM19, IMM26, type ImmediateField, readField } from '../a64/field.js';
import { signExtend } from '../bits.js';

/** MOVZ, MOVN, MOVK of either width: bits [28:23]; bits [30:29] tell them apart. */
const MOVE_WIDE_MASK = 0x1f800000;
const MOVE_WIDE = 0x12800000;
const MOVK = 3;

/** `set`: MOVZ or MOVN, which replace the register; `keep`: MOVK, which keeps its other bits. */
export function moveWideKind(word: number): 'set' | 'keep' | undefined {
  if ((word & MOVE_WIDE_MASK) !== MOVE_WIDE) return undefined;
  return ((word >>> 29) & 3) === MOVK ? 'keep' : 'set';
}

/** MOV Xd, Xm: ORR Xd, XZR, Xm. */
const MOV_MASK = 0xffe0ffe0;
const MOV = 0xaa0003e0;

/** The register that is copied by MOV Xd, Xm. */
export function movedRegister(word: number): number | undefined {
  return (word & MOV_MASK) >>> 0 === MOV ? (word >>> 16) & 0x1f : undefined;
}

interface Transfer {
  readonly mask: number;
  readonly opcode: number;
  readonly direction: 'loaded' | 'stored';
  /** Lowest bits of the fields that name the registers. */
  readonly registers: readonly number[];
}

const RT = 0;
const RT2 = 10;

/** Of X registers; addresses do not fit W registers. */
const TRANSFERS: readonly Transfer[] = [
  { mask: 0xffc00000, opcode: 0xf9000000, direction: 'stored', registers: [RT] }, // STR (unsigned offset)
  { mask: 0xffc00000, opcode: 0xf9400000, direction: 'loaded', registers: [RT] }, // LDR (unsigned offset)
  { mask: 0xffc00000, opcode: 0xf8000000, direction: 'stored', registers: [RT] }, // STUR, STR (indexed)
  { mask: 0xffc00000, opcode: 0xf8400000, direction: 'loaded', registers: [RT] }, // LDUR, LDR (indexed)
  { mask: 0xfe400000, opcode: 0xa8000000, direction: 'stored', registers: [RT, RT2] }, // STP
  { mask: 0xfe400000, opcode: 0xa8400000, direction: 'loaded', registers: [RT, RT2] }, // LDP
];

const NO_REGISTERS: readonly number[] = [];

/** The X registers that a load or store transfers. */
export function transferredRegisters(word: number): Record<'loaded' | 'stored', readonly number[]> {
  const transfer = TRANSFERS.find(({ mask, opcode }) => (word & mask) >>> 0 === opcode);
  const registers = transfer ? transfer.registers.map((lsb) => (word >>> lsb) & 0x1f) : NO_REGISTERS;
  return transfer?.direction === 'stored'
    ? { loaded: NO_REGISTERS, stored: registers }
    : { loaded: registers, stored: NO_REGISTERS };
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

/** Whether the instruction is BR, which leads where a jump table says. */
export function isComputedJump(word: number): boolean {
  return (word & 0xfefff000) >>> 0 === 0xd61f0000;
}

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
