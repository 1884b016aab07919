/**
 * The ELF header (gABI chapter 4), checked before anything else looks at the file.
 *
 * elfy trusts its input, so every count and offset it will follow is bounded here, extended section numbering
 * (e_shnum 0, e_shstrndx SHN_XINDEX: the real values stand in section header 0) resolved on the way.
 */
import { readVa, type Va } from '../address.js';
import { ElfFormatError } from '../errors.js';
import * as elf from './constant.js';

/** The header's fields by their gABI names; counts are the real ones, after extended numbering. */
export interface ElfHeader {
  readonly e_type: number;
  readonly e_entry: Va;
  readonly e_phoff: number;
  readonly e_phnum: number;
  readonly e_shoff: number;
  readonly e_shnum: number;
  readonly e_shstrndx: number;
}

const TWO_32 = 2 ** 32;
const MAGIC = 0x7f454c46;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;

/** Whether the bytes open like an ELF file; nothing else is checked. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) === MAGIC;
}

/** A 64-bit size or offset that must be an exact double; anything from 2^53 on lies outside every file. */
export function readExtent(view: DataView, at: number, what: string): number {
  const value = view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
  if (value > Number.MAX_SAFE_INTEGER) throw new ElfFormatError('TRUNCATED', `${what} points outside the file`);
  return value;
}

/**
 * Reads and checks the header of a little-endian 64-bit AArch64 file.
 * @param types the e_type values accepted
 * @throws ElfFormatError NOT_ELF, WRONG_CLASS, WRONG_ENDIAN, WRONG_MACHINE, WRONG_TYPE, TRUNCATED or BAD_SECTION
 */
export function readElfHeader(bytes: Uint8Array, types: readonly number[]): ElfHeader {
  if (!isElf(bytes)) throw new ElfFormatError('NOT_ELF', 'not an ELF file');
  if (bytes.length < elf.EHDR_SIZE)
    throw new ElfFormatError('TRUNCATED', `ELF header cut short at ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint8(4) !== ELFCLASS64) throw new ElfFormatError('WRONG_CLASS', 'not a 64-bit ELF file');
  if (view.getUint8(5) !== ELFDATA2LSB)
    throw new ElfFormatError('WRONG_ENDIAN', 'big-endian ELF files are not supported');
  const machine = view.getUint16(18, true);
  if (machine !== elf.EM_AARCH64) {
    throw new ElfFormatError('WRONG_MACHINE', `ELF machine is ${machine}, not 183 (AArch64)`, { machine });
  }
  const e_type = view.getUint16(16, true);
  if (!types.includes(e_type))
    throw new ElfFormatError('WRONG_TYPE', `ELF type ${e_type} is not expected here`, { e_type });

  const e_phoff = readExtent(view, 32, 'e_phoff');
  const e_phnum = view.getUint16(56, true);
  requireTable(bytes, {
    name: 'program header',
    offset: e_phoff,
    count: e_phnum,
    size: elf.PHDR_SIZE,
    stated: view.getUint16(54, true),
  });

  const e_shoff = readExtent(view, 40, 'e_shoff');
  let e_shnum = view.getUint16(60, true);
  let e_shstrndx = view.getUint16(62, true);
  const shentsize = view.getUint16(58, true);
  const table = { name: 'section header', offset: e_shoff, size: elf.SHDR_SIZE, stated: shentsize };
  if (e_shoff !== 0) {
    requireTable(bytes, { ...table, count: 1 });
    if (e_shnum === 0) e_shnum = readExtent(view, e_shoff + 32, 'section count');
    if (e_shstrndx === elf.SHN_XINDEX) e_shstrndx = view.getUint32(e_shoff + 40, true);
  }
  requireTable(bytes, { ...table, count: e_shnum });
  if (e_shnum > 0 && e_shstrndx >= e_shnum) {
    throw new ElfFormatError('BAD_SECTION', `e_shstrndx ${e_shstrndx} is not one of ${e_shnum} sections`);
  }
  return { e_type, e_entry: readVa(view, 24), e_phoff, e_phnum, e_shoff, e_shnum, e_shstrndx };
}

interface HeaderTable {
  readonly name: string;
  readonly offset: number;
  readonly count: number;
  readonly size: number;
  readonly stated: number;
}

function requireTable(bytes: Uint8Array, table: HeaderTable): void {
  if (table.count === 0) return;
  if (table.stated !== table.size) {
    throw new ElfFormatError('BAD_SECTION', `${table.name}s have ${table.stated} bytes each, not ${table.size}`);
  }
  if (table.offset + table.count * table.size > bytes.length) {
    throw new ElfFormatError(
      'TRUNCATED',
      `${table.name} table at 0x${table.offset.toString(16)} runs past the end of the file`,
      {
        offset: table.offset,
      },
    );
  }
}
