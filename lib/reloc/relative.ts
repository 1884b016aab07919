/**
 * Self-relocation of a position-independent image: R_AARCH64_RELATIVE records (AAELF64) and RELR words (gABI, "Relative
 * Relocation Table"), as Linux arch/arm64/kernel/pi/relocate.c (6.9+) and head.S before it walk them.
 *
 * RELATIVE stores r_addend + delta and so can be repeated; RELR adds delta to what the place holds and cannot.
 * Both check every place before the first is written.
 */
import { high32, low32 } from '../address.js';
import { RelocationError } from '../errors.js';

/** ELF64_R_INFO(0, R_AARCH64_RELATIVE). */
export const R_INFO_RELATIVE = 0x403;

const RELA_WORDS = 6;
const PLACE_SIZE = 8;
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

/** 32-bit words of `[offset, offset + length)` of the image. */
function words(bytes: Uint8Array, offset: number, length: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset + offset, length >> 2);
}

function badPlace(table: string, place: number, linkBase: number): RelocationError {
  const where = place < 0 ? `0x${(-place).toString(16)} bytes below` : `0x${place.toString(16)} bytes above`;
  return new RelocationError('BAD_PLACE', `${table}: a relocation's place lies outside the image, ${where} _text`, {
    place,
    linkBase,
  });
}

/** The offsets of all places from `_text`, in table order. @throws RelocationError BAD_PLACE or OVERLAP */
function relaPlaces({ bytes, linkBase, tables: { rela } }: RelocatableImage): Uint32Array {
  const records = words(bytes, rela.offset, rela.count * RELA_WORDS * 4);
  const limit = bytes.length - PLACE_SIZE;
  const places = new Uint32Array(rela.count);
  let count = 0;
  for (let r = 0; r < records.length; r += RELA_WORDS) {
    // The kernel skips every other type.
    if (records[r + 2] !== R_INFO_RELATIVE) continue;
    const place = (records[r + 1]! | 0) * TWO_32 + records[r]! - linkBase;
    if (place < 0 || place > limit) throw badPlace('.rela.dyn', place, linkBase);
    places[count++] = place;
  }
  return requireDisjoint('.rela.dyn', places.subarray(0, count));
}

/**
 * Decodes a RELR table: an even word is a place, an odd one a bitmap of the 63 words that follow the last.
 * @returns the offsets of all places from `_text`, in table order
 * @throws RelocationError BAD_PLACE or OVERLAP
 */
export function relrPlaces({ bytes, linkBase, tables: { relr } }: RelocatableImage): Uint32Array {
  const table = words(bytes, relr.offset, relr.words * 8);
  const limit = bytes.length - PLACE_SIZE;
  const places = new Uint32Array(relr.words * 63);
  let count = 0;
  let cursor = 0;
  for (let w = 0; w < table.length; w += 2) {
    const low = table[w]!;
    const high = table[w + 1]!;
    if ((low & 1) === 0) {
      const place = (high | 0) * TWO_32 + low - linkBase;
      if (place < 0 || place > limit) throw badPlace('.relr.dyn', place, linkBase);
      places[count++] = place;
      cursor = place + PLACE_SIZE;
      continue;
    }
    const first = count;
    for (let rest = low >>> 1; rest !== 0; rest &= rest - 1) {
      places[count++] = cursor + (31 - Math.clz32(rest & -rest)) * PLACE_SIZE;
    }
    for (let rest = high; rest !== 0; rest &= rest - 1) {
      places[count++] = cursor + (62 - Math.clz32(rest & -rest)) * PLACE_SIZE;
    }
    if (count > first && places[count - 1]! > limit) throw badPlace('.relr.dyn', places[count - 1]!, linkBase);
    cursor += 63 * PLACE_SIZE;
  }
  return requireDisjoint('.relr.dyn', places.subarray(0, count));
}

/** Linkers sort both tables; only one that is not sorted costs a sorted copy. */
function requireDisjoint(table: string, places: Uint32Array): Uint32Array {
  let overlap = firstOverlap(places);
  if (overlap !== undefined) overlap = firstOverlap(places.slice().sort());
  if (overlap !== undefined) {
    throw new RelocationError('OVERLAP', `${table}: two relocations overlap at offset 0x${overlap.toString(16)}`, {
      place: overlap,
    });
  }
  return places;
}

function firstOverlap(places: Uint32Array): number | undefined {
  for (let i = 1; i < places.length; i++) {
    if (places[i]! - places[i - 1]! < PLACE_SIZE) return places[i];
  }
  return undefined;
}

/**
 * Moves an image from its link address by `delta` bytes, in place, exactly as the kernel does: RELA first, then RELR.
 * @param delta run address minus link address, an exact integer
 * @returns how many places each table changed
 * @throws RelocationError BAD_PLACE for a place outside the image, OVERLAP for two that share a byte; nothing is written then
 */
export function relocateImage(image: RelocatableImage, delta: number): { rela: number; relr: number } {
  const rela = relaPlaces(image);
  const relr = relrPlaces(image);
  storeAddends(image, rela, delta);
  addDelta(image.bytes, relr, delta);
  return { rela: rela.length, relr: relr.length };
}

function storeAddends({ bytes, tables: { rela } }: RelocatableImage, places: Uint32Array, delta: number): void {
  const records = words(bytes, rela.offset, rela.count * RELA_WORDS * 4);
  const image = words(bytes, 0, bytes.length);
  const unaligned = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const deltaLow = low32(delta);
  const deltaHigh = high32(delta);
  let next = 0;
  for (let r = 0; r < records.length; r += RELA_WORDS) {
    if (records[r + 2] !== R_INFO_RELATIVE) continue;
    const place = places[next++]!;
    const low = records[r + 4]! + deltaLow;
    const high = records[r + 5]! + deltaHigh + (low >= TWO_32 ? 1 : 0);
    if ((place & 3) === 0) {
      image[place >> 2] = low;
      image[(place >> 2) + 1] = high;
    } else {
      unaligned.setUint32(place, low, true);
      unaligned.setUint32(place + 4, high, true);
    }
  }
}

/** Places need only be even: Debian 7.3 has some at 2 modulo 8. */
function addDelta(bytes: Uint8Array, places: Uint32Array, delta: number): void {
  const image = words(bytes, 0, bytes.length);
  const unaligned = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const deltaLow = low32(delta);
  const deltaHigh = high32(delta);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if ((place & 3) === 0) {
      const low = image[place >> 2]! + deltaLow;
      image[place >> 2] = low;
      image[(place >> 2) + 1] = image[(place >> 2) + 1]! + deltaHigh + (low >= TWO_32 ? 1 : 0);
    } else {
      const low = unaligned.getUint32(place, true) + deltaLow;
      unaligned.setUint32(place, low, true);
      unaligned.setUint32(place + 4, unaligned.getUint32(place + 4, true) + deltaHigh + (low >= TWO_32 ? 1 : 0), true);
    }
  }
}
