/**
 * Finds the kallsyms tables of an image without symbols (Linux scripts/kallsyms.c writes them, kernel/kallsyms.c reads them).
 *
 * The token table gives them away: digits stand for themselves, so "0", "1" ... "9" follow each other in it, and the index
 * behind it must name exactly its 256 strings. From there markers, names and offsets are found by their own invariants,
 * so that the layouts of 4.6 to 7.3, which order the tables in four ways and align them to 8 or (7.x) to 4 bytes, need
 * no version number.
 */
import { alignDown, alignUp } from '../bits.js';

const TOKENS = 256;
const DIGIT_ZERO = 0x30;
const DIGITS = Array.from('0123456789', (digit) => `${digit}\0`).join('');
/** Symbols between two markers. */
const MARKER_STRIDE = 256;
/** KSYM_NAME_LEN since 6.1, and a length byte or two: what one name takes at most. */
export const NAME_LIMIT = 514;

/** Where the tables stand, by byte offset in the image. */
export interface KallsymsTables {
  readonly count: number;
  readonly names: number;
  readonly tokenTable: number;
  readonly tokenIndex: number;
}

const u32 = (image: Buffer, at: number): number => (at >= 0 && at + 4 <= image.length ? image.readUInt32LE(at) : 0);

/** Digits in a row stand at nine places of a kernel at most, and one is in a token table; an image could be full of them. */
const PLACE_LIMIT = 4096;
/** Behind each token table stands a search of the whole image. */
const TABLE_LIMIT = 16;

export function findKallsyms(image: Buffer): KallsymsTables | undefined {
  let places = 0;
  let tables = 0;
  for (let zero = image.indexOf(DIGITS, 0, 'latin1'); zero >= 0; zero = image.indexOf(DIGITS, zero + 1, 'latin1')) {
    if (++places > PLACE_LIMIT) return undefined;
    for (const align of [8, 4]) {
      const tokens = findTokens(image, zero, align);
      if (!tokens) continue;
      if (++tables > TABLE_LIMIT) return undefined;
      const names = findNames(image, tokens.tokenTable, align);
      if (names) return { ...tokens, ...names };
    }
  }
  return undefined;
}

/** The token table whose token "0" stands at `zero`, and its index; undefined if the two do not agree. */
function findTokens(
  image: Buffer,
  zero: number,
  align: number,
): { tokenTable: number; tokenIndex: number } | undefined {
  let second = zero;
  for (let token = DIGIT_ZERO; token > 1 && second > 0; token--) second = image.lastIndexOf(0, second - 2) + 1;
  const ends: number[] = [];
  for (let at = second; ends.length < TOKENS - 1; at = ends.at(-1)! + 1) {
    const end = image.indexOf(0, at);
    if (end < 0 || end - at > NAME_LIMIT) return undefined;
    ends.push(end);
  }
  const tokenIndex = alignUp(ends.at(-1)! + 1, align);
  if (tokenIndex + TOKENS * 2 > image.length) return undefined;
  // The table is aligned and its first token begins it, whatever byte stands before.
  const tokenTable = second - image.readUInt16LE(tokenIndex + 2);
  const agrees = ends.every(
    (end, i) => i === TOKENS - 2 || image.readUInt16LE(tokenIndex + (i + 2) * 2) === end + 1 - tokenTable,
  );
  return agrees && tokenTable % align === 0 && image.readUInt16LE(tokenIndex) === 0
    ? { tokenTable, tokenIndex }
    : undefined;
}

/**
 * Markers and names before the token table; kallsyms_seqs_of_names (3 bytes a symbol) may stand between, and nothing else:
 * without that bound an image of zeros takes hours.
 */
function findNames(image: Buffer, tokenTable: number, align: number): { count: number; names: number } | undefined {
  // 4-byte markers since 4.20.
  for (const width of [4, 8]) {
    for (let at = alignDown(tokenTable - width, align); at > 0; at -= align) {
      const markers = readMarkers(image, { at, end: tokenTable, width });
      if (!markers || tokenTable - at > markers.length * (width + 3 * MARKER_STRIDE) + 2 * align) continue;
      const names = namesBefore(image, { at, align }, markers);
      if (names) return names;
    }
  }
  return undefined;
}

/** Ascending offsets from 0 in steps that 256 names can take; undefined if `at` begins none. */
function readMarkers(image: Buffer, table: { at: number; end: number; width: number }): number[] | undefined {
  if (u32(image, table.at) !== 0) return undefined;
  const markers = [0];
  for (let at = table.at + table.width; at + table.width <= table.end; at += table.width) {
    const step = u32(image, at) - markers.at(-1)!;
    if (step < 2 * MARKER_STRIDE || step > NAME_LIMIT * MARKER_STRIDE) break;
    markers.push(u32(image, at));
  }
  return markers;
}

/** The names that end where the markers begin, checked against every marker; kallsyms_num_syms stands 8 bytes before them. */
function namesBefore(
  image: Buffer,
  { at: markersAt, align }: { at: number; align: number },
  markers: readonly number[],
): { count: number; names: number } | undefined {
  const highest = alignDown(markersAt - markers.at(-1)!, align);
  const lowest = Math.max(align, highest - NAME_LIMIT * MARKER_STRIDE);
  for (let names = highest; names >= lowest; names -= align) {
    const count = u32(image, names - align);
    // Data behind the markers may pass for another one; the count tells how many there are.
    const expected = Math.ceil(count / MARKER_STRIDE);
    if (expected === 0 || expected > markers.length) continue;
    if (expected !== markers.length && markersAt - names < markers.at(-1)!) continue;
    if (alignUp(endOfNames(image, { names, count, end: markersAt }, markers) ?? 0, align) === markersAt)
      return { count, names };
  }
  return undefined;
}

/** Walks all names; returns their end, or undefined as soon as a marker disagrees. */
function endOfNames(
  image: Buffer,
  { names, count, end }: { names: number; count: number; end: number },
  markers: readonly number[],
): number | undefined {
  let at = names;
  for (let i = 0; i < count; i++) {
    if (i % MARKER_STRIDE === 0 && at - names !== markers[i / MARKER_STRIDE]) return undefined;
    const first = image[at]!;
    const taken = first < 128 ? 1 + first : 2 + ((first & 0x7f) | (image[at + 1]! << 7));
    if (first === 0 || at >= end || taken > NAME_LIMIT) return undefined;
    at += taken;
  }
  return at;
}
