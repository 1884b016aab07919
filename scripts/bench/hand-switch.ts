/**
 * Relocations by a switch, for the thirteen types that Debian's modules hold: what one would write without a table. It takes the same
 * operands and makes the same promises: the place is inside the section, X is checked before it is written, addends have 64 bits.
 */
import { high32, low32, type Va } from '../../lib/address.js';
import { RELA_WORDS, type RelaTable } from '../../lib/elf/rela-table.js';
import {
  BAD_PLACE,
  NO_ADDRESS,
  OUT_OF_RANGE,
  type Refusal,
  type RelocatableSection,
  type Resolution,
  UNKNOWN_TYPE,
} from '../../lib/reloc/apply.js';

const OK = 0;
const TWO_32 = 2 ** 32;

function store12(view: DataView, offset: number, value: number): Refusal | typeof OK {
  view.setInt32(offset, (view.getInt32(offset, true) & ~0x003ffc00) | ((value & 0xfff) << 10), true);
  return OK;
}

export function applyBySwitch(
  section: RelocatableSection,
  relas: RelaTable,
  { symbols, refuse }: Pick<Resolution, 'symbols' | 'refuse'>,
): void {
  for (let index = 0; index < relas.count; index++) {
    const S = symbols[relas.symbol(index)];
    const status = S === undefined ? NO_ADDRESS : applyRecord(section, relas, index, S);
    if (status !== OK) refuse(index, status);
  }
}

function applyRecord(
  { bytes, view, address }: RelocatableSection,
  relas: RelaTable,
  index: number,
  S: Va,
): Refusal | typeof OK {
  const { words } = relas;
  const at = index * RELA_WORDS;
  const type = words[at + 2]!;
  const offset = relas.offset(index);
  if (offset + (type === 257 || type === 260 ? 8 : 4) > bytes.length) return BAD_PLACE;
  const P = address + offset;
  // S + A, and S + A - P, each in two halves modulo 2^64.
  const sum = low32(S) + (words[at + 4]! >>> 0);
  const sumHigh = high32(S) + words[at + 5]! + (sum >= TWO_32 ? 1 : 0);
  const distance = low32(sum) - low32(P);
  const distanceHigh = (sumHigh - high32(P) - (distance < 0 ? 1 : 0)) | 0;
  switch (type) {
    case 257:
      view.setInt32(offset, sum | 0, true);
      view.setInt32(offset + 4, sumHigh, true);
      return OK;
    case 260:
      view.setInt32(offset, distance | 0, true);
      view.setInt32(offset + 4, distanceHigh, true);
      return OK;
    case 258:
      if ((sumHigh | 0) !== 0) return OUT_OF_RANGE;
      view.setInt32(offset, sum | 0, true);
      return OK;
    case 261:
      if (distanceHigh !== (distance | 0) >> 31) return OUT_OF_RANGE;
      view.setInt32(offset, distance | 0, true);
      return OK;
    case 275: {
      const low = low32(sum & ~0xfff) - low32(P & ~0xfff);
      const high = (sumHigh - high32(P) - (low < 0 ? 1 : 0)) | 0;
      if (high !== 0 && high !== -1) return OUT_OF_RANGE;
      const pages = (low32(low) >>> 12) | (high << 20);
      const word = view.getInt32(offset, true) & 0x9f00001f;
      view.setInt32(offset, word | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5), true);
      return OK;
    }
    case 277:
    case 278:
      return store12(view, offset, sum);
    case 284:
      return store12(view, offset, (sum & 0xfff) >> 1);
    case 285:
      return store12(view, offset, (sum & 0xfff) >> 2);
    case 286:
      return store12(view, offset, (sum & 0xfff) >> 3);
    case 299:
      return store12(view, offset, (sum & 0xfff) >> 4);
    case 282:
    case 283: {
      const low = distance | 0;
      if (distanceHigh !== low >> 31 || low < -0x8000000 || low >= 0x8000000) return OUT_OF_RANGE;
      view.setInt32(offset, (view.getInt32(offset, true) & ~0x03ffffff) | ((low >> 2) & 0x03ffffff), true);
      return OK;
    }
    default:
      return UNKNOWN_TYPE;
  }
}
