/**
 * A quick look at relocation tables that sees nearly all sound ones for what they are, without a list of their places: the
 * list costs more than the relocation. Whatever it does not understand, relative-place.ts judges in full.
 */
import { high32, low32 } from '../address.js';
import * as relative from './relative-place.js';
import {
  type RelocatableImage,
  relaPlaces,
  relaRecords,
  relaTable,
  relativeRecords,
  relrPlaces,
  relrTable,
  type Table,
  tableWords,
} from './relative-place.js';

// Copied because V8 folds a module's own constants but loads imported ones, each time round a loop.
const { PLACE_SIZE, R_INFO_RELATIVE, RELA_WORDS } = relative;

/**
 * Checks every place of both tables: inside the image, none overlapping another or a table still to be read.
 * @returns the RELATIVE records of .rela.dyn, six words each, nearly always the table itself
 * @throws ImageFormatError BAD_TABLE, RelocationError BAD_PLACE or OVERLAP
 */
export function checkPlaces(image: RelocatableImage): Int32Array {
  const isSound = relaAscends(image);
  if (!isSound) relaPlaces(image);
  if (!relrAscends(image)) relrPlaces(image);
  return isSound ? relaRecords(image) : relativeRecords(image);
}

/** Places between these, both exclusive, would change the table. */
function forbiddenPlaces({ offset, size }: Table): { low: number; high: number } {
  return size === 0 ? { low: 0, high: 0 } : { low: offset - PLACE_SIZE, high: offset + size };
}

/** A part of the image that holds no table; `end` is exclusive. */
interface Gap {
  readonly start: number;
  readonly end: number;
}

/** In ascending order. */
function gaps(image: RelocatableImage): Gap[] {
  const tables = [relaTable(image), relrTable(image)].filter(({ size }) => size > 0);
  const found: Gap[] = [];
  let start = 0;
  for (const { offset, size } of tables.sort((a, b) => a.offset - b.offset)) {
    found.push({ start, end: Math.min(offset, image.bytes.length) });
    start = Math.max(start, offset + size);
  }
  return [...found, { start, end: image.bytes.length }];
}

/** Whether all records are RELATIVE and their places ascend without overlap, inside the image and outside the tables. */
function relaAscends(image: RelocatableImage): boolean {
  const { linkBase, bytes } = image;
  // Places in two blocks of 4 GiB have different high halves.
  if (high32(linkBase + bytes.length) !== high32(linkBase)) return false;
  const records = relaRecords(image);
  let r = 0;
  for (const gap of gaps(image)) r = passGap(records, r, gap, linkBase);
  return r === records.length;
}

/** The first record from `from` on that is not RELATIVE or whose place is not in the gap and behind the one before. */
function passGap(records: Int32Array, from: number, { start, end }: Gap, linkBase: number): number {
  const baseLow = low32(linkBase) | 0;
  const baseHigh = high32(linkBase);
  const last = end - PLACE_SIZE;
  let next = start;
  let r = from;
  for (; r < records.length; r += RELA_WORDS) {
    const place = (records[r]! - baseLow) | 0;
    if (place < next || place > last || records[r + 1] !== baseHigh || records[r + 2] !== R_INFO_RELATIVE) return r;
    next = place + PLACE_SIZE;
  }
  return r;
}

/** The same of RELR by its words: a bitmap is taken for all that lies between its first place and its last. */
function relrAscends(image: RelocatableImage): boolean {
  const table = relrTable(image);
  const words = tableWords(image.bytes, table);
  const limit = image.bytes.length - PLACE_SIZE;
  const forbidden = forbiddenPlaces(table);
  let next = 0;
  let cursor = -1;
  for (let w = 0; w < words.length; w += 2) {
    const low = words[w]! >>> 0;
    const high = words[w + 1]! >>> 0;
    let first: number;
    let last: number;
    if ((low & 1) === 0) {
      first = last = (high | 0) * 2 ** 32 + low - image.linkBase;
      cursor = first + PLACE_SIZE;
    } else {
      if (cursor < 0) return false;
      const [lowest, highest] = bitRange(low >>> 1, high);
      first = cursor + lowest * PLACE_SIZE;
      last = cursor + highest * PLACE_SIZE;
      cursor += 63 * PLACE_SIZE;
      if (highest < 0) continue;
    }
    if (first < next || last > limit || (first < forbidden.high && last > forbidden.low)) return false;
    next = last + PLACE_SIZE;
  }
  return true;
}

/** Lowest and highest bit set of a 63-bit number given as its low 31 and high 32 bits; -1 if none is. */
function bitRange(low: number, high: number): [number, number] {
  const lowest = low !== 0 ? 31 - Math.clz32(low & -low) : 62 - Math.clz32(high & -high);
  const highest = high !== 0 ? 62 - Math.clz32(high) : 31 - Math.clz32(low);
  return low === 0 && high === 0 ? [-1, -1] : [lowest, highest];
}
