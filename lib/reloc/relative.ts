/**
 * Self-relocation of a position-independent image, as Linux arch/arm64/kernel/pi/relocate.c (6.9+) and head.S before it do it.
 *
 * RELATIVE stores r_addend + delta and so can be repeated; RELR adds delta to what the place holds and cannot.
 */
import { high32, low32 } from '../address.js';
import { checkPlaces } from './relative-check.js';
import * as relative from './relative-place.js';
import { type RelocatableImage, relrTable, tableWords } from './relative-place.js';

// Copied because V8 folds a module's own constants but loads imported ones, each time round a loop.
const { PLACE_SIZE, RELA_WORDS } = relative;
const TWO_32 = 2 ** 32;

/**
 * Moves an image from its link address by `delta` bytes, in place, exactly as the kernel does: RELA first, then RELR.
 * @param delta run address minus link address, an exact integer
 * @returns how many places each table changed
 * @throws ImageFormatError BAD_TABLE for a table outside the image; RelocationError BAD_PLACE for a place outside it, OVERLAP
 * for two that share a byte or one inside a table; nothing is written then
 */
export function relocateImage(image: RelocatableImage, delta: number): { rela: number; relr: number } {
  const records = checkPlaces(image);
  storeAddends(image, records, delta);
  return { rela: records.length / RELA_WORDS, relr: addDelta(image, delta) };
}

/** The image by 32-bit words, a rest of under four bytes left out; signed, as unsigned ones take longer. */
function imageWords({ bytes }: RelocatableImage): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
}

/** 1 if the sum of 32-bit halves is below a summand, both unsigned. */
function carryOf(sum: number, summand: number): number {
  return sum >>> 0 < summand >>> 0 ? 1 : 0;
}

function storeAddends({ bytes, linkBase }: RelocatableImage, records: Int32Array, delta: number): void {
  // Places need not be aligned, and a view that takes any is no slower than words and a test.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const baseLow = low32(linkBase) | 0;
  const deltaLow = low32(delta) | 0;
  const deltaHigh = high32(delta);
  for (let r = 0; r < records.length; r += RELA_WORDS) {
    const place = (records[r]! - baseLow) | 0;
    const addend = records[r + 4]!;
    const low = (addend + deltaLow) | 0;
    view.setInt32(place, low, true);
    view.setInt32(place + 4, records[r + 5]! + deltaHigh + carryOf(low, addend), true);
  }
}

function addDelta(image: RelocatableImage, delta: number): number {
  const table = tableWords(image.bytes, relrTable(image));
  const words = imageWords(image);
  const { bytes, linkBase } = image;
  const unaligned = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const deltaLow = low32(delta) | 0;
  const deltaHigh = high32(delta);
  // Places need only be even: Debian 7.3 has some at 2 modulo 8.
  const add = (place: number): void => {
    if ((place & 3) === 0) {
      const held = words[place >> 2]!;
      const low = (held + deltaLow) | 0;
      words[place >> 2] = low;
      words[(place >> 2) + 1] = words[(place >> 2) + 1]! + deltaHigh + carryOf(low, held);
    } else {
      const held = unaligned.getInt32(place, true);
      const low = (held + deltaLow) | 0;
      unaligned.setInt32(place, low, true);
      unaligned.setInt32(place + 4, unaligned.getInt32(place + 4, true) + deltaHigh + carryOf(low, held), true);
    }
  };
  let count = 0;
  let cursor = 0;
  for (let w = 0; w < table.length; w += 2) {
    const low = table[w]!;
    if ((low & 1) === 0) {
      cursor = table[w + 1]! * TWO_32 + (low >>> 0) - linkBase;
      add(cursor);
      count++;
      cursor += PLACE_SIZE;
      continue;
    }
    for (let rest = low >>> 1; rest !== 0; rest &= rest - 1, count++) {
      add(cursor + (31 - Math.clz32(rest & -rest)) * PLACE_SIZE);
    }
    for (let rest = table[w + 1]!; rest !== 0; rest &= rest - 1, count++) {
      add(cursor + (62 - Math.clz32(rest & -rest)) * PLACE_SIZE);
    }
    cursor += 63 * PLACE_SIZE;
  }
  return count;
}
