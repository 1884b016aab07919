/**
 * The 64-bit words of translation tables: fields of table, block and page descriptors.
 *
 * Implements the Arm ARM's D8.3 for stage 1, EL1&0. Words are bigint: they are few (thousands), they mix fields at
 * both ends of 64 bits, and a bit number here is the one in the manual. Only the address moves between formats;
 * table sets read it back through `outputAddress`, while walker.ts decodes on its own.
 */
import type { DescriptorFormat, TranslationRegime } from './translation-regime.js';

/** Stage 1 fields by their architectural names; software bits by Linux's. */
export const DESCRIPTOR = {
  VALID: 1n << 0n,
  /** Set in table and page descriptors, clear in block descriptors. */
  TABLE_OR_PAGE: 1n << 1n,
  /** AP[2]: read-only. */
  RDONLY: 1n << 7n,
  /** SH[1:0] = 0b11, inner shareable; bits of the output address with LPA2. */
  SHARED: 3n << 8n,
  AF: 1n << 10n,
  NG: 1n << 11n,
  /** Guarded page (BTI). */
  GP: 1n << 50n,
  /** Dirty bit modifier; Linux's PTE_WRITE. */
  DBM: 1n << 51n,
  CONT: 1n << 52n,
  PXN: 1n << 53n,
  UXN: 1n << 54n,
  /** Software, Linux's PTE_DIRTY. */
  DIRTY: 1n << 55n,
  /** In table descriptors: no execution below, at EL1 and at EL0. */
  PXN_TABLE: 1n << 59n,
  UXN_TABLE: 1n << 60n,
} as const;

/** AttrIndx[2:0], the index into MAIR_EL1. */
export function attributeIndex(index: number): bigint {
  return BigInt(index) << 2n;
}

/** Where the address bits above 47 go: `[count, from bit, to bit]`. LPA2 keeps bits 48 and 49 in place. */
const HIGH_BITS: Record<DescriptorFormat, { width: bigint; from: bigint; to: bigint }> = {
  '48-bit': { width: 0n, from: 48n, to: 12n },
  '52-bit': { width: 4n, from: 48n, to: 12n },
  lpa2: { width: 2n, from: 50n, to: 8n },
};

const ones = (width: bigint): bigint => (1n << width) - 1n;

/** The address field of a descriptor for the page-aligned physical address `pa`. */
export function addressField(format: DescriptorFormat, pa: number): bigint {
  const address = BigInt(pa);
  const { width, from, to } = HIGH_BITS[format];
  return (address & ones(from)) | (((address >> from) & ones(width)) << to);
}

/** Bits of a descriptor that hold its address, for entries of `level` (a table's address is page-aligned: level 3). */
function addressMask(regime: TranslationRegime, level: number): bigint {
  const { width, from, to } = HIGH_BITS[regime.format];
  const low = BigInt(regime.pageShift + regime.indexBits * (3 - level));
  return (ones(from) & ~ones(low)) | (ones(width) << to);
}

/** Physical address that a block or page descriptor of `level` translates to. */
export function outputAddress(regime: TranslationRegime, level: number, word: bigint): number {
  const { width, from, to } = HIGH_BITS[regime.format];
  const field = word & addressMask(regime, level);
  const high = (field >> to) & ones(width);
  return Number((field & ~(ones(width) << to)) | (high << from));
}

/** Physical address of the table that a table descriptor points to. */
export function nextTable(regime: TranslationRegime, word: bigint): number {
  return outputAddress(regime, 3, word);
}

/** A block (levels 0 to 2) or page (level 3) descriptor. */
export function leafDescriptor(
  regime: TranslationRegime,
  leaf: { level: number; pa: number; contiguous: boolean; attributes: bigint },
): bigint {
  const type = leaf.level === 3 ? DESCRIPTOR.VALID | DESCRIPTOR.TABLE_OR_PAGE : DESCRIPTOR.VALID;
  const contiguous = leaf.contiguous ? DESCRIPTOR.CONT : 0n;
  return addressField(regime.format, leaf.pa) | leaf.attributes | contiguous | type;
}

/** A table descriptor; `attributes` are the hierarchical ones. */
export function tableDescriptor(regime: TranslationRegime, pa: number, attributes: bigint): bigint {
  return addressField(regime.format, pa) | attributes | DESCRIPTOR.VALID | DESCRIPTOR.TABLE_OR_PAGE;
}

/** Does a live descriptor at `level` point to another table? */
export function isTable(level: number, word: bigint): boolean {
  const type = DESCRIPTOR.VALID | DESCRIPTOR.TABLE_OR_PAGE;
  return level < 3 && (word & type) === type;
}

export function isLive(word: bigint): boolean {
  return (word & DESCRIPTOR.VALID) !== 0n;
}
