/**
 * A quick look at relocation tables that sees nearly all sound ones for what they are, without a list of their places: the
 * list costs more than the relocation. Whatever it does not understand, relative-place.ts judges in full.
 */
import { high32, low32 } from '../address.js';
import {
  PLACE_SIZE,
  R_INFO_RELATIVE,
  RELA_WORDS,
  type RelocatableImage,
  relaPlaces,
  relaRecords,
  relaTable,
  relrPlaces,
  relrTable,
  type Table,
  tableWords,
} from './relative-place.js';

/**
 * Checks every place of both tables: inside the image, none overlapping another or a table still to be read.
 * @throws ImageFormatError BAD_TABLE, RelocationError BAD_PLACE or OVERLAP
 */
export function checkPlaces(image: RelocatableImage): void {
  if (!relaAscends(image)) relaPlaces(image);
  if (!relrAscends(image)) relrPlaces(image);
}

/** Places between these, both exclusive, would change the table. */
function forbiddenPlaces({ offset, size }: Table): { low: number; high: number } {
  return size === 0 ? { low: 0, high: 0 } : { low: offset - PLACE_SIZE, high: offset + size };
}

/** Whether the places ascend without overlap, inside the image and outside the tables. */
function relaAscends(image: RelocatableImage): boolean {
  const records = relaRecords(image);
  const rela = forbiddenPlaces(relaTable(image));
  const relr = forbiddenPlaces(relrTable(image));
  // Plain numbers, as fields would be loaded again for every record.
  const [relaLow, relaHigh, relrLow, relrHigh] = [rela.low, rela.high, relr.low, relr.high];
  const limit = image.bytes.length - PLACE_SIZE;
  const baseLow = low32(image.linkBase) | 0;
  const baseHigh = high32(image.linkBase);
  let next = 0;
  for (let r = 0; r < records.length; r += RELA_WORDS) {
    if (records[r + 2] !== R_INFO_RELATIVE) continue;
    const low = records[r]!;
    // In halves and signed, as doubles and unsigned words take longer.
    const place = (low - baseLow) | 0;
    const isFar = ((records[r + 1]! - baseHigh - (low >>> 0 < baseLow >>> 0 ? 1 : 0)) | 0) !== 0;
    if (isFar || place < next || place > limit) return false;
    if ((place > relaLow && place < relaHigh) || (place > relrLow && place < relrHigh)) return false;
    next = place + PLACE_SIZE;
  }
  return true;
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
