/**
 * A table of Elf64_Rela (gABI chapter 4, "Relocation") as words.
 *
 * The records are copied into one Int32Array of six words each: what relocates reads them several times, the
 * kernel's PLT code reorders them, and the addend stays two halves, so that none is ever rounded.
 */
import { ElfFormatError } from '../errors.js';
import { RELA_SIZE } from './constant.js';
import type { Section } from './file.js';

export const RELA_WORDS = RELA_SIZE / 4;

const TWO_32 = 2 ** 32;

export class RelaTable {
  readonly count: number;
  /** Six little-endian words a record: r_offset low, high; type; symbol; r_addend low, high. */
  readonly words: Int32Array;

  /** @param bytes a whole number of records, at any alignment; they are copied */
  constructor(bytes: Uint8Array) {
    this.count = Math.floor(bytes.length / RELA_SIZE);
    const copy = new Uint8Array(this.count * RELA_SIZE);
    copy.set(bytes.subarray(0, copy.length));
    this.words = new Int32Array(copy.buffer);
  }

  /** r_offset; exact below 2^53, and never rounded to below it from above. */
  offset(index: number): number {
    return (this.words[index * RELA_WORDS + 1]! >>> 0) * TWO_32 + (this.words[index * RELA_WORDS]! >>> 0);
  }

  /** ELF64_R_TYPE. */
  type(index: number): number {
    return this.words[index * RELA_WORDS + 2]! >>> 0;
  }

  /** ELF64_R_SYM. */
  symbol(index: number): number {
    return this.words[index * RELA_WORDS + 3]! >>> 0;
  }

  /** r_addend, exact. */
  addend(index: number): bigint {
    return (BigInt(this.words[index * RELA_WORDS + 5]!) << 32n) | BigInt(this.words[index * RELA_WORDS + 4]! >>> 0);
  }
}

/**
 * The records of an SHT_RELA section.
 * @throws ElfFormatError BAD_SECTION if the size is no multiple of 24 or sh_entsize is not 24
 */
export function openRelaTable(section: Section): RelaTable {
  if (section.sh_entsize !== RELA_SIZE || section.sh_size % RELA_SIZE !== 0) {
    throw new ElfFormatError('BAD_SECTION', `${section.name}: entries are not ${RELA_SIZE} bytes each`, {
      section: section.name,
    });
  }
  return new RelaTable(section.data);
}
