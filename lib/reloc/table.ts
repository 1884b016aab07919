/**
 * The relocation types that Linux accepts in an arm64 module: one row each.
 *
 * Names, operations and fields are those of AAELF64 ("ELF for the Arm 64-bit Architecture", 5.7); the ranges are
 * Linux's, which takes 16- and 32-bit data as either signed or unsigned where the ABI takes both (`abi`).
 * Whatever applies, prints or tests relocations derives from these rows.
 * @see Linux 6.12 arch/arm64/kernel/module.c, apply_relocate_add(); 5.10 to 7.3 accept the same types
 */

/** S the symbol's address, A the addend, P the place; Page(x) is x with its low 12 bits cleared. */
export type Operation = 'none' | 'S+A' | 'S+A-P' | 'Page(S+A)-Page(P)';

/**
 * What X is written into: `data`, little-endian, `len` bits; an immediate field of an instruction; or `movnz`, the
 * 16-bit immediate of a MOVZ (X >= 0) or MOVN (X < 0, complemented), whichever the instruction was before.
 */
export type Field = 'data' | 'imm26' | 'imm19' | 'imm14' | 'imm12' | 'imm16' | 'movnz' | 'adr';

/** Half-open: low <= X < end. */
export interface Range {
  readonly low: number;
  readonly end: number;
}

export interface RelocationRow {
  readonly type: number;
  readonly name: string;
  readonly op: Operation;
  readonly field: Field;
  /** Bits X[lsb + len - 1 : lsb] are written. */
  readonly lsb: number;
  readonly len: number;
  /** Absent: Linux does not check. */
  readonly range?: Range;
  /** The ABI's range where it differs. */
  readonly abi?: Range;
  /** A branch that Linux leads through a PLT entry when it is out of range. */
  readonly pltable?: true;
}

const signed = (width: number): Range => ({ low: -(2 ** (width - 1)), end: 2 ** (width - 1) });
const unsigned = (width: number): Range => ({ low: 0, end: 2 ** width });
/** The ABI takes data of 16 and 32 bits that are right as a signed or as an unsigned number; Linux only one of them. */
const either = (width: number): Range => ({ low: signed(width).low, end: unsigned(width).end });
const onlySigned = (width: number) => ({ range: signed(width), abi: either(width) });
const onlyUnsigned = (width: number) => ({ range: unsigned(width), abi: either(width) });

const BRANCH26 = { field: 'imm26', lsb: 2, len: 26, range: signed(28), pltable: true } as const;
const PAGES = 'Page(S+A)-Page(P)';

export const RELOCATION_ROWS: readonly RelocationRow[] = [
  { type: 0, name: 'R_AARCH64_NONE', op: 'none', field: 'data', lsb: 0, len: 0 },
  { type: 256, name: 'R_AARCH64_NONE', op: 'none', field: 'data', lsb: 0, len: 0 },

  { type: 257, name: 'R_AARCH64_ABS64', op: 'S+A', field: 'data', lsb: 0, len: 64 },
  { type: 258, name: 'R_AARCH64_ABS32', op: 'S+A', field: 'data', lsb: 0, len: 32, ...onlyUnsigned(32) },
  { type: 259, name: 'R_AARCH64_ABS16', op: 'S+A', field: 'data', lsb: 0, len: 16, ...onlyUnsigned(16) },
  { type: 260, name: 'R_AARCH64_PREL64', op: 'S+A-P', field: 'data', lsb: 0, len: 64 },
  { type: 261, name: 'R_AARCH64_PREL32', op: 'S+A-P', field: 'data', lsb: 0, len: 32, ...onlySigned(32) },
  { type: 262, name: 'R_AARCH64_PREL16', op: 'S+A-P', field: 'data', lsb: 0, len: 16, ...onlySigned(16) },

  { type: 263, name: 'R_AARCH64_MOVW_UABS_G0', op: 'S+A', field: 'imm16', lsb: 0, len: 16, range: unsigned(16) },
  { type: 264, name: 'R_AARCH64_MOVW_UABS_G0_NC', op: 'S+A', field: 'imm16', lsb: 0, len: 16 },
  { type: 265, name: 'R_AARCH64_MOVW_UABS_G1', op: 'S+A', field: 'imm16', lsb: 16, len: 16, range: unsigned(32) },
  { type: 266, name: 'R_AARCH64_MOVW_UABS_G1_NC', op: 'S+A', field: 'imm16', lsb: 16, len: 16 },
  { type: 267, name: 'R_AARCH64_MOVW_UABS_G2', op: 'S+A', field: 'imm16', lsb: 32, len: 16, range: unsigned(48) },
  { type: 268, name: 'R_AARCH64_MOVW_UABS_G2_NC', op: 'S+A', field: 'imm16', lsb: 32, len: 16 },
  { type: 269, name: 'R_AARCH64_MOVW_UABS_G3', op: 'S+A', field: 'imm16', lsb: 48, len: 16 },
  { type: 270, name: 'R_AARCH64_MOVW_SABS_G0', op: 'S+A', field: 'movnz', lsb: 0, len: 16, range: signed(17) },
  { type: 271, name: 'R_AARCH64_MOVW_SABS_G1', op: 'S+A', field: 'movnz', lsb: 16, len: 16, range: signed(33) },
  { type: 272, name: 'R_AARCH64_MOVW_SABS_G2', op: 'S+A', field: 'movnz', lsb: 32, len: 16, range: signed(49) },

  { type: 273, name: 'R_AARCH64_LD_PREL_LO19', op: 'S+A-P', field: 'imm19', lsb: 2, len: 19, range: signed(21) },
  { type: 274, name: 'R_AARCH64_ADR_PREL_LO21', op: 'S+A-P', field: 'adr', lsb: 0, len: 21, range: signed(21) },
  { type: 275, name: 'R_AARCH64_ADR_PREL_PG_HI21', op: PAGES, field: 'adr', lsb: 12, len: 21, range: signed(33) },
  { type: 276, name: 'R_AARCH64_ADR_PREL_PG_HI21_NC', op: PAGES, field: 'adr', lsb: 12, len: 21 },
  { type: 277, name: 'R_AARCH64_ADD_ABS_LO12_NC', op: 'S+A', field: 'imm12', lsb: 0, len: 12 },
  { type: 278, name: 'R_AARCH64_LDST8_ABS_LO12_NC', op: 'S+A', field: 'imm12', lsb: 0, len: 12 },
  { type: 279, name: 'R_AARCH64_TSTBR14', op: 'S+A-P', field: 'imm14', lsb: 2, len: 14, range: signed(16) },
  { type: 280, name: 'R_AARCH64_CONDBR19', op: 'S+A-P', field: 'imm19', lsb: 2, len: 19, range: signed(21) },
  { type: 282, name: 'R_AARCH64_JUMP26', op: 'S+A-P', ...BRANCH26 },
  { type: 283, name: 'R_AARCH64_CALL26', op: 'S+A-P', ...BRANCH26 },
  { type: 284, name: 'R_AARCH64_LDST16_ABS_LO12_NC', op: 'S+A', field: 'imm12', lsb: 1, len: 11 },
  { type: 285, name: 'R_AARCH64_LDST32_ABS_LO12_NC', op: 'S+A', field: 'imm12', lsb: 2, len: 10 },
  { type: 286, name: 'R_AARCH64_LDST64_ABS_LO12_NC', op: 'S+A', field: 'imm12', lsb: 3, len: 9 },
  { type: 299, name: 'R_AARCH64_LDST128_ABS_LO12_NC', op: 'S+A', field: 'imm12', lsb: 4, len: 8 },

  { type: 287, name: 'R_AARCH64_MOVW_PREL_G0', op: 'S+A-P', field: 'movnz', lsb: 0, len: 16, range: signed(17) },
  { type: 288, name: 'R_AARCH64_MOVW_PREL_G0_NC', op: 'S+A-P', field: 'imm16', lsb: 0, len: 16 },
  { type: 289, name: 'R_AARCH64_MOVW_PREL_G1', op: 'S+A-P', field: 'movnz', lsb: 16, len: 16, range: signed(33) },
  { type: 290, name: 'R_AARCH64_MOVW_PREL_G1_NC', op: 'S+A-P', field: 'imm16', lsb: 16, len: 16 },
  { type: 291, name: 'R_AARCH64_MOVW_PREL_G2', op: 'S+A-P', field: 'movnz', lsb: 32, len: 16, range: signed(49) },
  { type: 292, name: 'R_AARCH64_MOVW_PREL_G2_NC', op: 'S+A-P', field: 'imm16', lsb: 32, len: 16 },
  { type: 293, name: 'R_AARCH64_MOVW_PREL_G3', op: 'S+A-P', field: 'movnz', lsb: 48, len: 16 },
];

const ROW_OF_TYPE: ReadonlyMap<number, RelocationRow> = new Map(RELOCATION_ROWS.map((row) => [row.type, row]));

/** The row of an ELF64_R_TYPE; undefined for what Linux refuses. */
export function findRelocationRow(type: number): RelocationRow | undefined {
  return ROW_OF_TYPE.get(type);
}

export const R_AARCH64_ADR_PREL_PG_HI21 = 275;
export const R_AARCH64_ADR_PREL_PG_HI21_NC = 276;
export const R_AARCH64_JUMP26 = 282;
export const R_AARCH64_CALL26 = 283;
