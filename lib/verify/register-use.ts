/**
 * Which general registers an A64 instruction reads as an address or operand, which it stores and which it writes (Arm ARM C4.1): as much as decides whether an
 * address that MOVZ/MOVK build is used before it is whole.
 *
 * Classes of instructions, the first that matches counts. What is left out neither reads nor writes: it costs a finding, never makes a wrong one.
 * What may be written but not in every instruction of a class stands under `fetches`, of which nothing is concluded.
 */

interface InstructionClass {
  readonly mask: number;
  readonly opcode: number;
  /** Lowest bits of the fields that name the registers. */
  readonly reads?: readonly number[];
  /** Put into memory, whole or in part. */
  readonly stores?: readonly number[];
  /** Computed: certainly no part of an address from here on. */
  readonly writes?: readonly number[];
  /** From memory or elsewhere, which may be an address that was put there in part. */
  readonly fetches?: readonly number[];
}

const RD = 0;
const RT = 0;
const RN = 5;
const RT2 = 10;
const RA = 10;
const RM = 16;

const CLASSES: readonly InstructionClass[] = [
  // Data processing, immediate.
  { mask: 0x1f000000, opcode: 0x10000000, writes: [RD] }, // ADR, ADRP
  { mask: 0x3f800000, opcode: 0x12800000, writes: [RD] }, // MOVN, MOVZ
  { mask: 0x7f800000, opcode: 0x72800000, reads: [RD], writes: [RD] }, // MOVK
  { mask: 0x7f800000, opcode: 0x33000000, reads: [RD, RN], writes: [RD] }, // BFM
  { mask: 0x1f800000, opcode: 0x13800000, reads: [RN, RM], writes: [RD] }, // EXTR
  { mask: 0x1c000000, opcode: 0x10000000, reads: [RN], writes: [RD] }, // ADD, SUB, AND, ORR, EOR, SBFM, UBFM
  // Data processing, register.
  { mask: 0x1fe00800, opcode: 0x1a400000, reads: [RN, RM] }, // CCMN, CCMP
  { mask: 0x1fe00800, opcode: 0x1a400800, reads: [RN] }, // CCMN, CCMP (immediate)
  { mask: 0x1fe00400, opcode: 0x1a000400, reads: [RN] }, // RMIF
  { mask: 0x1fe00800, opcode: 0x1a000800, reads: [RN] }, // SETF8, SETF16
  { mask: 0x5fe00000, opcode: 0x5ac00000, reads: [RN], writes: [RD] }, // one source: RBIT, CLZ
  { mask: 0x1f000000, opcode: 0x1b000000, reads: [RN, RM, RA], writes: [RD] }, // MADD, UMULH
  { mask: 0x0e000000, opcode: 0x0a000000, reads: [RN, RM], writes: [RD] }, // ADD, SUB, logical, CSEL, LSLV
  // Loads and stores. Values that are stored may be put aside; only addresses and offsets are uses.
  { mask: 0x3f000000, opcode: 0x18000000, fetches: [RT] }, // LDR (literal)
  { mask: 0x3f000000, opcode: 0x1c000000 }, // LDR (literal, SIMD)
  { mask: 0x3f000000, opcode: 0x08000000, reads: [RN], stores: [RT, RT2, RM], fetches: [RT, RT2, RM] }, // exclusive, ordered, CAS
  { mask: 0x3c400000, opcode: 0x28400000, reads: [RN], fetches: [RT, RT2] }, // LDP
  { mask: 0x3c400000, opcode: 0x28000000, reads: [RN], stores: [RT, RT2] }, // STP
  { mask: 0x3fc00000, opcode: 0x39000000, reads: [RN], stores: [RT] }, // STR (unsigned offset)
  { mask: 0x3f000000, opcode: 0x39000000, reads: [RN], fetches: [RT] }, // LDR (unsigned offset)
  { mask: 0x3fe00000, opcode: 0x38000000, reads: [RN], stores: [RT] }, // STUR, STR (indexed)
  { mask: 0x3f200000, opcode: 0x38000000, reads: [RN], fetches: [RT] }, // LDUR, LDR (indexed)
  { mask: 0x3fe00c00, opcode: 0x38200800, reads: [RN, RM], stores: [RT] }, // STR (register)
  { mask: 0x3f200c00, opcode: 0x38200800, reads: [RN, RM], fetches: [RT] }, // LDR (register)
  { mask: 0x3f200c00, opcode: 0x38200000, reads: [RN], stores: [RM], fetches: [RT] }, // LDADD, SWP
  { mask: 0x3f200c00, opcode: 0x19000000, reads: [RN], stores: [RT], fetches: [RT] }, // LDAPUR, STLUR
  { mask: 0x3e000000, opcode: 0x2c000000, reads: [RN] }, // LDP, STP (SIMD)
  { mask: 0x3f000000, opcode: 0x3d000000, reads: [RN] }, // LDR, STR (SIMD, unsigned offset)
  { mask: 0x3f200000, opcode: 0x3c000000, reads: [RN] }, // LDUR, STUR, LDR, STR (SIMD, indexed)
  { mask: 0x3f200c00, opcode: 0x3c200800, reads: [RN, RM] }, // LDR, STR (SIMD, register)
  { mask: 0xbe000000, opcode: 0x0c000000, reads: [RN] }, // LD1, ST1
  // What else brings a value into a general register.
  { mask: 0xfff00000, opcode: 0xd5300000, writes: [RT] }, // MRS
  { mask: 0x5f20fc00, opcode: 0x1e200000, fetches: [RD] }, // FMOV, FCVTZS
  { mask: 0xbfe0ec00, opcode: 0x0e002c00, fetches: [RD] }, // SMOV, UMOV
  // Branches to a register.
  { mask: 0xfe000000, opcode: 0xd6000000, reads: [RN] }, // BR, BLR, RET
];

export interface RegisterUse {
  readonly reads: readonly number[];
  readonly stores: readonly number[];
  readonly writes: readonly number[];
  readonly fetches: readonly number[];
}

const NOTHING: readonly number[] = [];

/** The registers by number; 31 is SP or XZR. */
export function registerUse(word: number): RegisterUse {
  const found = CLASSES.find(({ mask, opcode }) => (word & mask) >>> 0 === opcode);
  const registers = (fields: readonly number[] = NOTHING) =>
    fields.length === 0 ? NOTHING : fields.map((lsb) => (word >>> lsb) & 0x1f);
  return {
    reads: registers(found?.reads),
    stores: registers(found?.stores),
    writes: registers(found?.writes),
    fetches: registers(found?.fetches),
  };
}

/** BL, BLR, BLRAA, BLRAB. */
function isCall(word: number): boolean {
  return (word & 0xfc000000) >>> 0 === 0x94000000 || (word & 0xfefff000) >>> 0 === 0xd63f0000;
}

/** BRK, HLT, SVC, HVC and SMC. */
function isTrap(word: number): boolean {
  return (word & 0xff000000) >>> 0 === 0xd4000000;
}

/** Whether other code runs before the next instruction of this, or instead of it. */
export const isInterruption = (word: number): boolean => isCall(word) || isTrap(word);

/** Data processing of general registers: no other code can follow than the next instruction, and no memory can have changed. */
export function isDataProcessing(word: number): boolean {
  return ((word >>> 26) & 0b111) === 0b100 || ((word >>> 25) & 0b111) === 0b101;
}
