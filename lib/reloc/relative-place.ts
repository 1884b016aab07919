/**
 * Where the relocation tables of a position-independent image point: R_AARCH64_RELATIVE records (AAELF64) and RELR words
 * (gABI, "Relative Relocation Table").
 *
 * Every place is known and checked before the first is written, so that a damaged table changes nothing.
 */
import { high32, low32 } from '../address.js';
import { ImageFormatError, RelocationError } from '../errors.js';

/** ELF64_R_INFO(0, R_AARCH64_RELATIVE). */
export const R_INFO_RELATIVE = 0x403;

export const RELA_WORDS = 6;
/** Bytes that a relocation writes. */
export const PLACE_SIZE = 8;
const TWO_32 = 2 ** 32;

/** Tables inside an image, by byte offset from `_text`. */
export interface RelocationTables {
  readonly rela: { readonly offset: number; readonly count: number };
  readonly relr: { readonly offset: number; readonly words: number; readonly count: number };
}

/** An image whose bytes begin at `_text`; `bytes` starts at a multiple of 8 of its buffer. */
export interface RelocatableImage {
  readonly bytes: Uint8Array;
  readonly linkBase: number;
  readonly tables: RelocationTables;
}

export interface Table {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** @throws ImageFormatError BAD_TABLE if the table is not inside the image or not aligned to 8 */
export function tableWords(bytes: Uint8Array, { name, offset, size }: Table): Int32Array {
  if (offset < 0 || offset % 8 !== 0 || offset + size > bytes.length) {
    throw new ImageFormatError('BAD_TABLE', `${name} is not inside the image`, { offset, size });
  }
  return new Int32Array(bytes.buffer, bytes.byteOffset + offset, size / 4);
}

export const relaTable = ({ tables: { rela } }: RelocatableImage): Table => ({
  name: '.rela.dyn',
  offset: rela.offset,
  size: rela.count * RELA_WORDS * 4,
});

export const relrTable = ({ tables: { relr } }: RelocatableImage): Table => ({
  name: '.relr.dyn',
  offset: relr.offset,
  size: relr.words * 8,
});

function badPlace(table: string, place: number, linkBase: number): RelocationError {
  const where = place < 0 ? `0x${(-place).toString(16)} bytes below` : `0x${place.toString(16)} bytes above`;
  return new RelocationError('BAD_PLACE', `${table}: a relocation's place lies outside the image, ${where} _text`, {
    place,
    linkBase,
  });
}

/** The records of .rela.dyn, six 32-bit words each. @throws ImageFormatError BAD_TABLE */
export function relaRecords(image: RelocatableImage): Int32Array {
  return tableWords(image.bytes, relaTable(image));
}

/** A copy of the records without those of other types, which the kernel skips. @throws ImageFormatError BAD_TABLE */
export function relativeRecords(image: RelocatableImage): Int32Array {
  const records = relaRecords(image);
  const copy = new Int32Array(records.length);
  let end = 0;
  for (let r = 0; r < records.length; r += RELA_WORDS) {
    if (records[r + 2] !== R_INFO_RELATIVE) continue;
    copy.set(records.subarray(r, r + RELA_WORDS), end);
    end += RELA_WORDS;
  }
  return copy.subarray(0, end);
}

/** The offsets of all places from `_text`, in table order. @throws ImageFormatError BAD_TABLE, RelocationError BAD_PLACE or OVERLAP */
export function relaPlaces(image: RelocatableImage): Uint32Array {
  const { bytes, linkBase } = image;
  const table = relaTable(image);
  const records = relaRecords(image);
  const limit = bytes.length - PLACE_SIZE;
  const baseLow = low32(linkBase);
  const baseHigh = high32(linkBase);
  const places = new Uint32Array(image.tables.rela.count);
  let count = 0;
  for (let r = 0; r < records.length; r += RELA_WORDS) {
    // The kernel skips every other type.
    if (records[r + 2] !== R_INFO_RELATIVE) continue;
    const low = records[r]! >>> 0;
    const place = (low - baseLow) >>> 0;
    // Halves, as doubles would take a third longer.
    if (place > limit || ((records[r + 1]! - baseHigh - (low < baseLow ? 1 : 0)) | 0) !== 0) {
      throw badPlace(table.name, (records[r + 1]! | 0) * TWO_32 + low - linkBase, linkBase);
    }
    places[count++] = place;
  }
  return requireDisjoint(places.subarray(0, count), table.name, [table, relrTable(image)]);
}

/**
 * Decodes a RELR table: an even word is a place, an odd one a bitmap of the 63 words that follow the last.
 * @returns the offsets of all places from `_text`, in table order
 * @throws ImageFormatError BAD_TABLE, RelocationError BAD_PLACE or OVERLAP
 */
export function relrPlaces(image: RelocatableImage): Uint32Array {
  const { bytes, linkBase } = image;
  const table = relrTable(image);
  const words = tableWords(bytes, table);
  const limit = bytes.length - PLACE_SIZE;
  // No more places fit without overlap; one bitmap beyond that shows that some do.
  const most = Math.floor(bytes.length / PLACE_SIZE);
  const places = new Uint32Array(Math.min(image.tables.relr.words * 63, most + 63));
  let count = 0;
  // A bitmap in front of all addresses has no place to count from.
  let cursor = bytes.length;
  for (let w = 0; w < words.length; w += 2) {
    const low = words[w]! >>> 0;
    const high = words[w + 1]! >>> 0;
    if ((low & 1) === 0) {
      const place = (high | 0) * TWO_32 + low - linkBase;
      if (place < 0 || place > limit) throw badPlace(table.name, place, linkBase);
      places[count++] = place;
      cursor = place + PLACE_SIZE;
    } else {
      const last = cursor + (high === 0 ? 31 - Math.clz32(low >>> 1) : 62 - Math.clz32(high)) * PLACE_SIZE;
      if (last > limit && (low > 1 || high > 0)) throw badPlace(table.name, last, linkBase);
      // Most bitmaps are nearly full, so trying each bit is faster than finding the next.
      for (let rest = low >>> 1, place = cursor; rest !== 0; rest >>>= 1, place += PLACE_SIZE) {
        places[count] = place;
        count += rest & 1;
      }
      for (let rest = high, place = cursor + 31 * PLACE_SIZE; rest !== 0; rest >>>= 1, place += PLACE_SIZE) {
        places[count] = place;
        count += rest & 1;
      }
      cursor += 63 * PLACE_SIZE;
    }
    if (count > most) throw overlap(table.name, places[count - 1]!);
  }
  return requireDisjoint(places.subarray(0, count), table.name, [table]);
}

function overlap(table: string, place: number): RelocationError {
  return new RelocationError('OVERLAP', `${table}: two relocations overlap at offset 0x${place.toString(16)}`, {
    place,
  });
}

/** Linkers sort both tables; only one that is not sorted costs a sorted copy. No place may change a table still to be read. */
function requireDisjoint(places: Uint32Array, table: string, unread: readonly Table[]): Uint32Array {
  const sorted = firstOverlap(places) === undefined ? places : places.slice().sort();
  const shared = sorted === places ? undefined : firstOverlap(sorted);
  if (shared !== undefined) throw overlap(table, shared);
  for (const { name, offset, size } of unread) {
    const place = sorted[lowerBound(sorted, offset - PLACE_SIZE + 1)];
    if (size > 0 && place !== undefined && place < offset + size) {
      throw new RelocationError('OVERLAP', `${table}: a relocation changes ${name} at offset 0x${place.toString(16)}`, {
        place,
      });
    }
  }
  return places;
}

function firstOverlap(places: Uint32Array): number | undefined {
  for (let i = 1; i < places.length; i++) {
    if (places[i]! < places[i - 1]! + PLACE_SIZE) return places[i];
  }
  return undefined;
}

/** Index of the first of the ascending places that is not below `bound`. */
function lowerBound(places: Uint32Array, bound: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
