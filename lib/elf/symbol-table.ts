/**
 * A symbol table (gABI chapter 4, "Symbol Table") read in place.
 *
 * A kernel with debug info has half a million symbols, so none becomes an object: the accessors read the file.
 */
import { readVa, type Va } from '../address.js';
import { ElfFormatError } from '../errors.js';
import * as elf from './constant.js';
import type { ElfFile, Section } from './file.js';
import { readExtent } from './header.js';

/** KSYM_NAME_LEN is 512; the bound keeps thousands of symbols from each naming a megabyte. */
const SYMBOL_NAME_LIMIT = 4096;

export class SymbolTable {
  readonly count: number;
  readonly section: Section;
  readonly #view: DataView;
  readonly #names: Buffer;
  readonly #extended: DataView | undefined;

  /**
   * @param section of type SHT_SYMTAB, its sh_link a string table
   * @throws ElfFormatError BAD_SYMBOL if the entries are not 24 bytes each or the string table is missing or not terminated
   */
  constructor(file: ElfFile, section: Section) {
    if (section.sh_entsize !== elf.SYM_SIZE || section.sh_size % elf.SYM_SIZE !== 0) {
      throw new ElfFormatError('BAD_SYMBOL', `${section.name}: entries are not ${elf.SYM_SIZE} bytes each`);
    }
    const strings = file.sections[section.sh_link];
    if (strings?.sh_type !== elf.SHT_STRTAB || (strings.data.length > 0 && strings.data.at(-1) !== 0)) {
      throw new ElfFormatError(
        'BAD_SYMBOL',
        `${section.name}: sh_link ${section.sh_link} is no terminated string table`,
      );
    }
    const extended = file.sections.find((s) => s.sh_type === elf.SHT_SYMTAB_SHNDX && s.sh_link === section.index);
    this.section = section;
    this.count = section.sh_size / elf.SYM_SIZE;
    this.#view = viewOf(section.data);
    this.#names = Buffer.from(strings.data.buffer, strings.data.byteOffset, strings.data.length);
    this.#extended = extended && viewOf(extended.data);
  }

  name(index: number): string {
    const start = this.#view.getUint32(index * elf.SYM_SIZE, true);
    if (start === 0) return '';
    const end = this.#names.indexOf(0, start);
    if (end < 0 || end - start > SYMBOL_NAME_LIMIT)
      throw new ElfFormatError('BAD_SYMBOL', `symbol ${index}: name lies outside the string table or never ends`, {
        symbol: index,
      });
    return this.#names.toString('latin1', start, end);
  }

  bind(index: number): number {
    return this.#view.getUint8(index * elf.SYM_SIZE + 4) >> 4;
  }

  type(index: number): number {
    return this.#view.getUint8(index * elf.SYM_SIZE + 4) & 0xf;
  }

  /**
   * The section index, SHN_XINDEX resolved; the reserved values (SHN_ABS, SHN_COMMON ...) as they are.
   * A real section of an extended table can have a reserved value's number: `isReserved` tells them apart.
   */
  shndx(index: number): number {
    const shndx = this.#view.getUint16(index * elf.SYM_SIZE + 6, true);
    if (shndx !== elf.SHN_XINDEX) return shndx;
    if (!this.#extended || (index + 1) * 4 > this.#extended.byteLength) {
      throw new ElfFormatError('BAD_SYMBOL', `symbol ${index}: SHN_XINDEX without an extended index`, {
        symbol: index,
      });
    }
    return this.#extended.getUint32(index * 4, true);
  }

  /** Whether `shndx()` is one of SHN_LORESERVE..SHN_HIRESERVE rather than a section. */
  isReserved(index: number): boolean {
    const shndx = this.#view.getUint16(index * elf.SYM_SIZE + 6, true);
    return shndx >= elf.SHN_LORESERVE && shndx !== elf.SHN_XINDEX;
  }

  /** @throws AddressError ADDRESS_RANGE if the value is no canonical address, as an absolute symbol's need not be */
  value(index: number): Va {
    return readVa(this.#view, index * elf.SYM_SIZE + 8);
  }

  size(index: number): number {
    return readExtent(this.#view, index * elf.SYM_SIZE + 16, `symbol ${index}: st_size`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The file's SHT_SYMTAB, of which the gABI allows one; undefined if it is stripped. */
export function openSymbolTable(file: ElfFile): SymbolTable | undefined {
  const section = file.sections.find((s) => s.sh_type === elf.SHT_SYMTAB);
  return section && new SymbolTable(file, section);
}
