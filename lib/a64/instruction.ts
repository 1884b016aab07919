/**
 * The A64 instructions that PLT entries and veneers are made of (Arm ARM C6.2), built and taken apart.
 *
 * A builder gives the unsigned 32-bit word, or undefined where the operand does not fit the instruction: what
 * that means is for the caller to say (Linux writes a BRK).
 */
import { signExtend } from '../bits.js';
import { IMM_ADR, IMM12, IMM16, IMM26, readField, replaceField } from './field.js';

/** IP0, the scratch register that the procedure call standard leaves to veneers. */
export const X16 = 16;

const ADR = 0x10000000;
const ADRP = 0x90000000;
const ADD_X = 0x91000000;
const B = 0x14000000;
const BR = 0xd61f0000;
const MOVN_X = 0x92800000;
const MOVK_X = 0xf2800000;

/** Bits [30:29] are immlo, so only bit 31 and [28:24] tell ADRP from the rest. */
const ADRP_MASK = 0x9f000000;

const ADR_REACH = 2 ** 20;
const BRANCH_REACH = 2 ** 27;

interface AdrOperands {
  /** Destination register, 0..31. */
  readonly rd: number;
  /** Distance in bytes for ADR, in 4 KiB pages for ADRP. */
  readonly distance: number;
}

/** ADR Rd, . + distance; undefined outside of +-1 MiB. */
export function adr(operands: AdrOperands): number | undefined {
  return adrWord(ADR, operands);
}

/** ADRP Rd, Page(.) + distance * 4096; undefined outside of +-4 GiB. */
export function adrp(operands: AdrOperands): number | undefined {
  return adrWord(ADRP, operands);
}

function adrWord(opcode: number, { rd, distance }: AdrOperands): number | undefined {
  if (distance < -ADR_REACH || distance >= ADR_REACH) return undefined;
  return replaceField(opcode | rd, IMM_ADR, distance) >>> 0;
}

/** ADD Xrd, Xrd, #imm12, where only the low 12 bits of `imm12` count. */
export function addImmediate({ rd, imm12 }: { readonly rd: number; readonly imm12: number }): number {
  return replaceField(ADD_X | (rd << 5) | rd, IMM12, imm12) >>> 0;
}

/** B . + distance, in bytes; undefined outside of +-128 MiB. */
export function branch(distance: number): number | undefined {
  if (distance < -BRANCH_REACH || distance >= BRANCH_REACH) return undefined;
  return replaceField(B, IMM26, distance >> 2) >>> 0;
}

/** BR Xn. */
export function branchRegister(rn: number): number {
  return (BR | (rn << 5)) >>> 0;
}

interface MoveWideOperands {
  readonly rd: number;
  /** Only the low 16 bits count. */
  readonly imm16: number;
  /** Left shift of the immediate: 0, 16, 32 or 48. */
  readonly shift: number;
}

/** MOVN Xrd, #imm16, LSL #shift: the register becomes the complement of the shifted immediate. */
export function movn(operands: MoveWideOperands): number {
  return moveWide(MOVN_X, operands);
}

/** MOVK Xrd, #imm16, LSL #shift: the other bits of the register are kept. */
export function movk(operands: MoveWideOperands): number {
  return moveWide(MOVK_X, operands);
}

function moveWide(opcode: number, { rd, imm16, shift }: MoveWideOperands): number {
  return replaceField(opcode | ((shift >> 4) << 21) | rd, IMM16, imm16) >>> 0;
}

export function isAdrp(word: number): boolean {
  return (word & ADRP_MASK) === (ADRP | 0);
}

/** Rd, bits [4:0]. */
export function destinationRegister(word: number): number {
  return word & 0x1f;
}

/** Distance of an ADRP in bytes: a multiple of 4096 within +-4 GiB. */
export function adrpDistance(word: number): number {
  return signExtend(readField(word, IMM_ADR), IMM_ADR.width) * 4096;
}
