/**
 * Immediate fields of A64 instructions (Arm ARM C4.1, "A64 instruction set encoding"), as data.
 *
 * A field is the list of its parts; masks, the encoder and the decoder follow from it, so that they cannot
 * disagree. Only ADR and ADRP split their immediate: the two lowest bits stand apart, above the others.
 */

/** Some bits of the immediate and where they stand in the instruction word. */
export interface FieldPart {
  /** Lowest bit of the immediate that this part holds. */
  readonly lsb: number;
  readonly width: number;
  /** Bit of the instruction word where the part begins. */
  readonly shift: number;
}

export interface ImmediateField {
  readonly parts: readonly FieldPart[];
  /** Width of the immediate in bits. */
  readonly width: number;
  /** The bits of the instruction word that the field occupies, as a 32-bit integer. */
  readonly mask: number;
}

function field(...parts: readonly FieldPart[]): ImmediateField {
  return {
    parts,
    width: parts.reduce((sum, part) => sum + part.width, 0),
    mask: parts.reduce((mask, part) => mask | (partMask(part) << part.shift), 0),
  };
}

/** The part's bits, at bit 0. */
export function partMask(part: FieldPart): number {
  return 2 ** part.width - 1;
}

/** B, BL. */
export const IMM26 = field({ lsb: 0, width: 26, shift: 0 });
/** B.cond, CBZ, CBNZ, LDR (literal). */
export const IMM19 = field({ lsb: 0, width: 19, shift: 5 });
/** TBZ, TBNZ. */
export const IMM14 = field({ lsb: 0, width: 14, shift: 5 });
/** ADD, SUB (immediate); LDR, STR (unsigned offset). */
export const IMM12 = field({ lsb: 0, width: 12, shift: 10 });
/** MOVZ, MOVN, MOVK. */
export const IMM16 = field({ lsb: 0, width: 16, shift: 5 });
/** ADR, ADRP: immlo in bits 30:29, immhi in bits 23:5. */
export const IMM_ADR = field({ lsb: 0, width: 2, shift: 29 }, { lsb: 2, width: 19, shift: 5 });

/** The word with the field's bits replaced by the low bits of `value`; a signed 32-bit integer. */
export function replaceField(word: number, into: ImmediateField, value: number): number {
  let result = word & ~into.mask;
  for (const part of into.parts) result |= ((value >>> part.lsb) & partMask(part)) << part.shift;
  return result;
}

/** The immediate as an unsigned number. */
export function readField(word: number, from: ImmediateField): number {
  return from.parts.reduce((value, part) => value | (((word >>> part.shift) & partMask(part)) << part.lsb), 0);
}
