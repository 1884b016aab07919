/**
 * Relocations a second time: in bigint, bit by bit, written from the tables of AAELF64 5.7 and the kernel's ranges
 * without a look at lib/reloc. Slow and obvious; where it and lib/reloc differ, lib/reloc is wrong.
 */

type Formula = (S: bigint, A: bigint, P: bigint) => bigint;

interface ReferenceRow {
  readonly name: string;
  readonly X: Formula;
  /** Bits of X, and the bits of the place that they replace: [x msb, x lsb, place msb, place lsb]. */
  readonly moves: readonly (readonly [number, number, number, number])[];
  /** Least and greatest X; absent if unchecked. */
  readonly least?: bigint;
  readonly greatest?: bigint;
  /** Bits of the place that are cleared although nothing is moved there. */
  readonly clear?: readonly [number, number];
  /** MOVZ for X >= 0, MOVN of the complement for X < 0. */
  readonly movnz?: true;
}

const page = (x: bigint): bigint => x - BigInt.asUintN(12, x);
const absolute: Formula = (S, A) => S + A;
const relative: Formula = (S, A, P) => S + A - P;
const pages: Formula = (S, A, P) => page(S + A) - page(P);
const data = (width: number) => [[width - 1, 0, width - 1, 0]] as const;
const movw = (group: number) => [[16 * group + 15, 16 * group, 20, 5]] as const;
const adr = (lsb: number) =>
  [
    [lsb + 1, lsb, 30, 29],
    [lsb + 20, lsb + 2, 23, 5],
  ] as const;

/** By ELF64_R_TYPE, in the order of the ABI's tables. */
export const REFERENCE: Readonly<Record<number, ReferenceRow>> = {
  257: { name: 'ABS64', X: absolute, moves: data(64) },
  258: { name: 'ABS32', X: absolute, moves: data(32), least: 0n, greatest: 0xffffffffn },
  259: { name: 'ABS16', X: absolute, moves: data(16), least: 0n, greatest: 0xffffn },
  260: { name: 'PREL64', X: relative, moves: data(64) },
  261: { name: 'PREL32', X: relative, moves: data(32), least: -0x80000000n, greatest: 0x7fffffffn },
  262: { name: 'PREL16', X: relative, moves: data(16), least: -0x8000n, greatest: 0x7fffn },
  263: { name: 'MOVW_UABS_G0', X: absolute, moves: movw(0), least: 0n, greatest: 0xffffn },
  264: { name: 'MOVW_UABS_G0_NC', X: absolute, moves: movw(0) },
  265: { name: 'MOVW_UABS_G1', X: absolute, moves: movw(1), least: 0n, greatest: 0xffffffffn },
  266: { name: 'MOVW_UABS_G1_NC', X: absolute, moves: movw(1) },
  267: { name: 'MOVW_UABS_G2', X: absolute, moves: movw(2), least: 0n, greatest: 0xffffffffffffn },
  268: { name: 'MOVW_UABS_G2_NC', X: absolute, moves: movw(2) },
  269: { name: 'MOVW_UABS_G3', X: absolute, moves: movw(3) },
  270: { name: 'MOVW_SABS_G0', X: absolute, moves: movw(0), movnz: true, least: -0x10000n, greatest: 0xffffn },
  271: { name: 'MOVW_SABS_G1', X: absolute, moves: movw(1), movnz: true, least: -0x100000000n, greatest: 0xffffffffn },
  272: {
    name: 'MOVW_SABS_G2',
    X: absolute,
    moves: movw(2),
    movnz: true,
    least: -0x1000000000000n,
    greatest: 0xffffffffffffn,
  },
  273: { name: 'LD_PREL_LO19', X: relative, moves: [[20, 2, 23, 5]], least: -0x100000n, greatest: 0xfffffn },
  274: { name: 'ADR_PREL_LO21', X: relative, moves: adr(0), least: -0x100000n, greatest: 0xfffffn },
  275: { name: 'ADR_PREL_PG_HI21', X: pages, moves: adr(12), least: -0x100000000n, greatest: 0xffffffffn },
  276: { name: 'ADR_PREL_PG_HI21_NC', X: pages, moves: adr(12) },
  277: { name: 'ADD_ABS_LO12_NC', X: absolute, moves: [[11, 0, 21, 10]] },
  278: { name: 'LDST8_ABS_LO12_NC', X: absolute, moves: [[11, 0, 21, 10]] },
  279: { name: 'TSTBR14', X: relative, moves: [[15, 2, 18, 5]], least: -0x8000n, greatest: 0x7fffn },
  280: { name: 'CONDBR19', X: relative, moves: [[20, 2, 23, 5]], least: -0x100000n, greatest: 0xfffffn },
  282: { name: 'JUMP26', X: relative, moves: [[27, 2, 25, 0]], least: -0x8000000n, greatest: 0x7ffffffn },
  283: { name: 'CALL26', X: relative, moves: [[27, 2, 25, 0]], least: -0x8000000n, greatest: 0x7ffffffn },
  284: { name: 'LDST16_ABS_LO12_NC', X: absolute, moves: [[11, 1, 20, 10]], clear: [21, 21] },
  285: { name: 'LDST32_ABS_LO12_NC', X: absolute, moves: [[11, 2, 19, 10]], clear: [21, 20] },
  286: { name: 'LDST64_ABS_LO12_NC', X: absolute, moves: [[11, 3, 18, 10]], clear: [21, 19] },
  287: { name: 'MOVW_PREL_G0', X: relative, moves: movw(0), movnz: true, least: -0x10000n, greatest: 0xffffn },
  288: { name: 'MOVW_PREL_G0_NC', X: relative, moves: movw(0) },
  289: { name: 'MOVW_PREL_G1', X: relative, moves: movw(1), movnz: true, least: -0x100000000n, greatest: 0xffffffffn },
  290: { name: 'MOVW_PREL_G1_NC', X: relative, moves: movw(1) },
  291: {
    name: 'MOVW_PREL_G2',
    X: relative,
    moves: movw(2),
    movnz: true,
    least: -0x1000000000000n,
    greatest: 0xffffffffffffn,
  },
  292: { name: 'MOVW_PREL_G2_NC', X: relative, moves: movw(2) },
  293: { name: 'MOVW_PREL_G3', X: relative, moves: movw(3), movnz: true },
  299: { name: 'LDST128_ABS_LO12_NC', X: absolute, moves: [[11, 4, 17, 10]], clear: [21, 18] },
};

export interface ReferenceOperands {
  readonly type: number;
  readonly S: bigint;
  readonly A: bigint;
  readonly P: bigint;
  /** The 8 bytes at the place as a little-endian number. */
  readonly before: bigint;
}

export type ReferenceOutcome = { readonly status: 'ok'; readonly after: bigint } | { readonly status: 'out of range' };

const replaceBits = (word: bigint, msb: number, lsb: number, value: bigint): bigint => {
  const mask = ((1n << BigInt(msb - lsb + 1)) - 1n) << BigInt(lsb);
  return (word & ~mask) | ((value << BigInt(lsb)) & mask);
};

/** X of a relocation, as a signed 64-bit number. */
export function referenceValue({ type, S, A, P }: ReferenceOperands): bigint {
  return BigInt.asIntN(64, REFERENCE[type]!.X(S, A, P));
}

/** What the kernel makes of the 8 bytes at the place; a module with a value out of range is refused. */
export function referenceRelocation(operands: ReferenceOperands): ReferenceOutcome {
  const row = REFERENCE[operands.type]!;
  const X = referenceValue(operands);
  if (row.least !== undefined && X < row.least) return { status: 'out of range' };
  if (row.greatest !== undefined && X > row.greatest) return { status: 'out of range' };
  let after = operands.before;
  let bits = X;
  if (row.clear) after = replaceBits(after, ...row.clear, 0n);
  if (row.movnz) {
    after = replaceBits(after, 30, 29, X < 0n ? 0b00n : 0b10n);
    if (X < 0n) bits = ~X;
  }
  for (const [msb, lsb, placeMsb, placeLsb] of row.moves) {
    const moved = BigInt.asUintN(msb - lsb + 1, bits >> BigInt(lsb));
    after = replaceBits(after, placeMsb, placeLsb, moved);
  }
  return { status: 'ok', after };
}
