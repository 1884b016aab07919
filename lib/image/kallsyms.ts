/** Decodes the kernel's own symbol table, kallsyms, found by kallsyms-search.ts. */
import { high32, low32, type Va, va } from '../address.js';
import { alignUp } from '../bits.js';
import { ImageFormatError } from '../errors.js';
import { findKallsyms, type KallsymsTables, NAME_LIMIT } from './kallsyms-search.js';

const TOKEN_INDEX_SIZE = 512;

/** Symbols by column, in the table's order, which is that of their addresses. */
export interface SymbolColumns {
  readonly count: number;
  /** nm's type letter of each. */
  readonly types: readonly string[];
  readonly names: readonly string[];
  /** Link addresses. */
  readonly addresses: Float64Array;
}

/**
 * Decodes kallsyms out of an image that is relocated to its link address.
 * @param image from `_text` on
 * @throws ImageFormatError NO_SYMBOLS if there are no such tables, or none of the known ways to state addresses fits them
 */
export function decodeKallsyms(image: Uint8Array, linkBase: Va): SymbolColumns {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  const tables = findKallsyms(bytes);
  if (!tables) throw new ImageFormatError('NO_SYMBOLS', 'no kallsyms tables: built without CONFIG_KALLSYMS?');
  const addresses = ADDRESSING.map((read) => read(bytes, tables, linkBase)).find(
    (column) => column !== undefined && isAscending(column) && column[0]! >= linkBase - 2 ** 31,
  );
  if (!addresses) throw new ImageFormatError('NO_SYMBOLS', 'kallsyms has names but no addresses that fit them');
  return { count: tables.count, ...decodeNames(bytes, tables), addresses };
}

function isAscending(column: Float64Array): boolean {
  for (let i = 1; i < column.length; i++) if (column[i]! < column[i - 1]!) return false;
  return true;
}

/** How the generations state addresses; each returns undefined where its tables cannot be. */
const ADDRESSING: readonly ((image: Buffer, tables: KallsymsTables, linkBase: Va) => Float64Array | undefined)[] = [
  // Up to 6.3: offsets and base in front of the count and the names.
  (image, { count, names }, linkBase) => {
    const base = names - 16;
    return baseRelative(image, { count, offsets: base - alignUp(count * 4, 8), base }, linkBase);
  },
  // From 6.4: offsets and their base behind the token index.
  (image, { count, tokenIndex }, linkBase) => {
    const offsets = tokenIndex + TOKEN_INDEX_SIZE;
    return baseRelative(image, { count, offsets, base: offsets + alignUp(count * 4, 8) }, linkBase);
  },
  // 7.x has no base: each offset is relative to its own place. Last, because base-relative offsets would pass for it.
  (image, { count, tokenIndex }, linkBase) => {
    const offsets = tokenIndex + TOKEN_INDEX_SIZE;
    if (offsets + count * 4 > image.length) return undefined;
    return Float64Array.from(
      { length: count },
      (_, i) => linkBase + offsets + i * 4 + image.readInt32LE(offsets + i * 4),
    );
  },
];

/** Offsets are unsigned on arm64, which has no KALLSYMS_ABSOLUTE_PERCPU; the base is the lowest symbol's address. */
function baseRelative(
  image: Buffer,
  { count, offsets, base }: { count: number; offsets: number; base: number },
  linkBase: Va,
): Float64Array | undefined {
  if (offsets < 0 || base + 8 > image.length || offsets + count * 4 > image.length) return undefined;
  const high = image.readInt32LE(base + 4);
  if (high !== high32(linkBase)) return undefined;
  const start = va(linkBase - low32(linkBase) + image.readUInt32LE(base));
  return Float64Array.from({ length: count }, (_, i) => start + image.readUInt32LE(offsets + i * 4));
}

/** A name is a length (one byte, or two from 128 on) and as many token numbers; the first character is the type. */
function decodeNames(
  image: Buffer,
  { count, names, tokenTable, tokenIndex }: KallsymsTables,
): { types: string[]; names: string[] } {
  const tokens = Array.from({ length: 256 }, (_, i) => {
    const start = tokenTable + image.readUInt16LE(tokenIndex + i * 2);
    return image.subarray(start, image.indexOf(0, start));
  });
  const types: string[] = [];
  const decoded: string[] = [];
  let at = names;
  // Real names are a few megabytes of tens; one token of 500 letters named by every byte would be gigabytes.
  let room = image.length;
  // Bytes, as joining strings leaves 2 million of them behind.
  const text = Buffer.alloc(NAME_LIMIT);
  for (let i = 0; i < count; i++) {
    let remaining = image[at++]!;
    if (remaining >= 128) remaining = (remaining & 0x7f) | (image[at++]! << 7);
    let length = 0;
    for (const end = at + remaining; at < end; at++) {
      const token = tokens[image[at]!]!;
      if (length + token.length > NAME_LIMIT) throw badName(i);
      for (let c = 0; c < token.length; c++) text[length++] = token[c]!;
    }
    room -= length;
    if (room < 0) throw badName(i);
    types.push(length === 0 ? '?' : String.fromCharCode(text[0]!));
    decoded.push(text.toString('latin1', 1, Math.max(length, 1)));
  }
  return { types, names: decoded };
}

const badName = (symbol: number): ImageFormatError =>
  new ImageFormatError('BAD_TABLE', `kallsyms: symbol ${symbol} has no name a kernel can have`);
