/**
 * A table walker in software: the judge of every table this library makes.
 *
 * It reads words from physical memory and follows the Arm ARM's AArch64.TranslationTableWalk and D8.3 to the letter,
 * decoding every field on its own: it shares no code and no constant with what builds the tables, and takes nothing
 * from them but granule, VA size, descriptor format and root address.
 */
import { type Va, va } from '../address.js';

/** What TCR_EL1 and TTBR1_EL1 tell a walker, and the memory to read 64-bit words from. */
export interface TranslationTables {
  readonly regime: {
    readonly pageSize: number;
    readonly vaBits: number;
    readonly format: '48-bit' | '52-bit' | 'lpa2';
  };
  readonly root: number;
  read(address: number): bigint;
}

/** One entry met on a walk of a range: a leaf, or a hole (an entry that is not live). */
export interface WalkedEntry {
  readonly va: Va;
  readonly level: number;
  readonly size: number;
  /** Permissions that the tables above take away, as bits of an APTable/PXNTable/UXNTable descriptor. */
  readonly inherited: bigint;
  readonly descriptor: bigint;
  readonly leaf: boolean;
}

/** What a leaf says, with the restrictions of the tables above it applied. */
export interface LeafAttributes {
  /** At EL1. */
  readonly writable: boolean;
  readonly executable: boolean;
  readonly userExecutable: boolean;
  readonly accessed: boolean;
  readonly nonGlobal: boolean;
  readonly guarded: boolean;
  /** SH[1:0]; absent with LPA2, where TCR_EL1.SH1 decides. */
  readonly shareability?: number;
  /** AttrIndx, the index into MAIR_EL1. */
  readonly memoryType: number;
}

export interface Leaf {
  readonly va: Va;
  readonly pa: number;
  readonly size: number;
  readonly level: number;
  readonly contiguous: boolean;
  readonly attributes: LeafAttributes;
  readonly descriptor: bigint;
}

const SHIFT: Readonly<Record<number, number>> = { 4096: 12, 16384: 14, 65536: 16 };

/** Lowest level at which a block descriptor is one and not reserved (D8.3, table D8-30). */
const FIRST_BLOCK_LEVEL: Readonly<Record<string, number>> = {
  '4096 48-bit': 1,
  '4096 lpa2': 0,
  '16384 48-bit': 2,
  '16384 lpa2': 1,
  '65536 48-bit': 2,
  '65536 52-bit': 1,
};

const bit = (word: bigint, n: bigint): boolean => ((word >> n) & 1n) === 1n;

function field(word: bigint, msb: bigint, lsb: bigint): bigint {
  return (word >> lsb) & ((1n << (msb - lsb + 1n)) - 1n);
}

/** The address bits [51:low] that a table, block or page descriptor holds. */
function descriptorAddress(word: bigint, low: bigint, format: string): number {
  const top = format === 'lpa2' ? 49n : 47n;
  let address = field(word, top, low) << low;
  if (format === 'lpa2') address |= field(word, 9n, 8n) << 50n;
  if (format === '52-bit') address |= field(word, 15n, 12n) << 48n;
  return Number(address);
}

/**
 * Every entry that a walk of `[start, end)` meets, in rising order: leaves, and holes at the level they end at.
 * The first and the last may reach out of the range; addresses that TTBR1 does not cover are left out.
 * @throws whatever `read` throws where a table is not in memory
 */
export function* walkEntries(tables: TranslationTables, range: { start: Va; end: Va }): Generator<WalkedEntry> {
  const { pageSize, vaBits, format } = tables.regime;
  const pageShift = SHIFT[pageSize]!;
  const stride = pageShift - 3;
  const levels = Math.ceil((vaBits - pageShift) / stride);
  const firstBlock = FIRST_BLOCK_LEVEL[`${pageSize} ${format}`]!;

  function* table(address: number, level: number, base: number, inherited: bigint): Generator<WalkedEntry> {
    const lsb = pageShift + stride * (3 - level);
    const size = 2 ** lsb;
    const entries = level === 4 - levels ? 2 ** (vaBits - lsb) : 2 ** stride;
    const first = Math.max(0, Math.floor((range.start - base) / size));
    const last = Math.min(entries, Math.ceil((range.end - base) / size));
    for (let i = first; i < last; i++) {
      const descriptor = tables.read(address + 8 * i);
      const type = field(descriptor, 1n, 0n);
      if (type === 3n && level < 3) {
        const below = inherited | (descriptor & (0x1fn << 59n));
        yield* table(descriptorAddress(descriptor, BigInt(pageShift), format), level + 1, base + i * size, below);
      } else {
        const leaf = level === 3 ? type === 3n : type === 1n && level >= firstBlock;
        yield { va: va(base + i * size), level, size, inherited, descriptor, leaf };
      }
    }
  }
  yield* table(tables.root, 4 - levels, -(2 ** vaBits), 0n);
}

/** The leaf that a live entry is. */
function leafOf(tables: TranslationTables, entry: WalkedEntry): Leaf {
  const { format } = tables.regime;
  const { descriptor, inherited } = entry;
  return {
    va: entry.va,
    pa: descriptorAddress(descriptor, BigInt(Math.log2(entry.size)), format),
    size: entry.size,
    level: entry.level,
    contiguous: bit(descriptor, 52n),
    attributes: {
      writable: !bit(descriptor, 7n) && !bit(inherited, 62n),
      executable: !bit(descriptor, 53n) && !bit(inherited, 59n),
      userExecutable: !bit(descriptor, 54n) && !bit(inherited, 60n),
      accessed: bit(descriptor, 10n),
      nonGlobal: bit(descriptor, 11n),
      guarded: bit(descriptor, 50n),
      ...(format === 'lpa2' ? {} : { shareability: Number(field(descriptor, 9n, 8n)) }),
      memoryType: Number(field(descriptor, 4n, 2n)),
    },
    descriptor,
  };
}

/** Every leaf that maps part of `[start, end)`, in rising order. */
export function* walkLeaves(tables: TranslationTables, range: { start: Va; end: Va }): Generator<Leaf> {
  for (const entry of walkEntries(tables, range)) if (entry.leaf) yield leafOf(tables, entry);
}

/**
 * Translates one address.
 * @returns the physical address and the leaf it came from, or the level of the translation fault
 */
export function translate(
  tables: TranslationTables,
  address: Va,
): { readonly pa: number; readonly leaf: Leaf } | { readonly fault: number } {
  for (const entry of walkEntries(tables, { start: address, end: va(address + 1) })) {
    if (!entry.leaf) return { fault: entry.level };
    const leaf = leafOf(tables, entry);
    return { pa: leaf.pa + (address - leaf.va), leaf };
  }
  return { fault: 0 };
}
