/**
 * Self-relocation of a position-independent image, as Linux arch/arm64/kernel/pi/relocate.c (6.9+) and head.S before it do it.
 *
 * RELATIVE stores r_addend + delta and so can be repeated; RELR adds delta to what the place holds and cannot.
 */
import { high32, low32 } from '../address.js';
import {
  R_INFO_RELATIVE,
  RELA_WORDS,
  type RelocatableImage,
  relaPlaces,
  relaRecords,
  relrPlaces,
} from './relative-place.js';

const TWO_32 = 2 ** 32;

/** The image by 32-bit words, a rest of under four bytes left out. */
function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
}

/**
 * Moves an image from its link address by `delta` bytes, in place, exactly as the kernel does: RELA first, then RELR.
 * @param delta run address minus link address, an exact integer
 * @returns how many places each table changed
 * @throws ImageFormatError BAD_TABLE for a table outside the image; RelocationError BAD_PLACE for a place outside it, OVERLAP
 * for two that share a byte or one inside a table; nothing is written then
 */
export function relocateImage(image: RelocatableImage, delta: number): { rela: number; relr: number } {
  const rela = relaPlaces(image);
  const relr = relrPlaces(image);
  storeAddends(image, rela, delta);
  addDelta(image.bytes, relr, delta);
  return { rela: rela.length, relr: relr.length };
}

function storeAddends(relocatable: RelocatableImage, places: Uint32Array, delta: number): void {
  const { bytes } = relocatable;
  const records = relaRecords(relocatable);
  const image = words(bytes);
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
  const image = words(bytes);
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
