/**
 * An ELF file opened: sections and segments (gABI chapters 4 and 5).
 *
 * elfy 1.0.0 supplies names and data. It rounds 64-bit fields into doubles, reads sh_addralign and sh_entsize
 * from the wrong offsets (46 and 54 instead of 48 and 56) and trusts its input, so the header is checked before
 * it and every number is read again after it.
 */
import elfy from 'elfy';
import { readVa, type Va } from '../address.js';
import { isPowerOfTwo } from '../bits.js';
import { ElfFormatError } from '../errors.js';
import * as elf from './constant.js';
import { type ElfHeader, readElfHeader, readExtent } from './header.js';

/** One section by the gABI's field names; `data` is a view of the file, empty for SHT_NOBITS. */
export interface Section {
  readonly index: number;
  readonly name: string;
  readonly sh_type: number;
  readonly sh_flags: number;
  readonly sh_addr: Va;
  readonly sh_offset: number;
  readonly sh_size: number;
  readonly sh_link: number;
  readonly sh_info: number;
  readonly sh_addralign: number;
  readonly sh_entsize: number;
  readonly data: Uint8Array;
}

/** One program header; `data` is the part of the file it loads. */
export interface Segment {
  readonly p_type: number;
  readonly p_flags: number;
  readonly p_offset: number;
  readonly p_vaddr: Va;
  readonly p_filesz: number;
  readonly p_memsz: number;
  readonly data: Uint8Array;
}

export interface ElfFile {
  readonly bytes: Uint8Array;
  readonly header: ElfHeader;
  readonly sections: readonly Section[];
  readonly segments: readonly Segment[];
}

/** A real section name has under 100 bytes; the bound keeps thousands of headers from each naming a megabyte. */
const SECTION_NAME_LIMIT = 4096;

/**
 * Opens a little-endian AArch64 ELF file; the result holds views of `input`, no copies.
 * Checks the header, that each section and segment lies inside the file, that names end, that alignments are
 * powers of two, that sections together are no larger than the file. Does not check each two for overlap, nor what they hold.
 * @param types the e_type values accepted
 * @throws ElfFormatError as `readElfHeader`, and BAD_SECTION or TRUNCATED naming the section
 */
export function openElf(input: Uint8Array, types: readonly number[]): ElfFile {
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.length);
  const header = readElfHeader(bytes, types);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headers = Array.from({ length: header.e_shnum }, (_, index) => readSectionHeader(view, header, index));
  requireNames(bytes, headers, header);
  requireOwnBytes(bytes, headers);

  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const parser = new elfy.Parser();
  const counts = Object.assign(parser.parseHeader(buffer), { shnum: header.e_shnum, shstrndx: header.e_shstrndx });
  const opened = header.e_shnum > 0 ? parser.resolveBody(parser.parseBody(buffer, counts), counts).sections : [];
  const sections = headers.map((exact, index) => {
    const { name, data } = opened[index]!;
    // A plain view: `slice` of a Buffer, which elfy hands out, shares memory.
    const plain = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { ...exact, name, data: exact.sh_type === elf.SHT_NOBITS ? new Uint8Array(0) : plain };
  });
  const segments = Array.from({ length: header.e_phnum }, (_, index) => readSegment(bytes, view, header, index));
  return { bytes, header, sections, segments };
}

type SectionHeader = Omit<Section, 'name' | 'data'> & { readonly sh_name: number };

function readSectionHeader(view: DataView, header: ElfHeader, index: number): SectionHeader {
  const at = header.e_shoff + index * elf.SHDR_SIZE;
  const what = (field: string) => `section ${index}: ${field}`;
  const section = {
    index,
    sh_name: view.getUint32(at, true),
    sh_type: view.getUint32(at + 4, true),
    sh_flags: readExtent(view, at + 8, what('sh_flags')),
    sh_addr: readVa(view, at + 16),
    sh_offset: readExtent(view, at + 24, what('sh_offset')),
    sh_size: readExtent(view, at + 32, what('sh_size')),
    sh_link: view.getUint32(at + 40, true),
    sh_info: view.getUint32(at + 44, true),
    sh_addralign: readExtent(view, at + 48, what('sh_addralign')),
    sh_entsize: readExtent(view, at + 56, what('sh_entsize')),
  };
  // Section 0 is not a section: its fields carry the extended counts.
  if (index > 0 && section.sh_type !== elf.SHT_NOBITS && section.sh_type !== elf.SHT_NULL) {
    if (section.sh_offset + section.sh_size > view.byteLength) {
      throw new ElfFormatError('TRUNCATED', `section ${index} runs past the end of the file`, { section: index });
    }
  }
  if (section.sh_addralign > 1 && !isPowerOfTwo(section.sh_addralign)) {
    throw new ElfFormatError(
      'BAD_SECTION',
      `section ${index}: sh_addralign ${section.sh_addralign} is not a power of two`,
      {
        section: index,
      },
    );
  }
  return section;
}

function requireNames(bytes: Uint8Array, headers: readonly SectionHeader[], header: ElfHeader): void {
  const table = headers[header.e_shstrndx];
  if (!table) return;
  if (table.sh_type !== elf.SHT_STRTAB) {
    throw new ElfFormatError('BAD_SECTION', `e_shstrndx names section ${table.index}, which is no string table`);
  }
  const names = bytes.subarray(table.sh_offset, table.sh_offset + table.sh_size);
  for (const { index, sh_name } of headers) {
    const end = names.subarray(sh_name, sh_name + SECTION_NAME_LIMIT).indexOf(0);
    if (end < 0) throw new ElfFormatError('BAD_SECTION', `section ${index} has no terminated name`, { section: index });
  }
}

/** Thousands of headers that all name one megabyte would let whoever copies sections take gigabytes. */
function requireOwnBytes(bytes: Uint8Array, headers: readonly SectionHeader[]): void {
  let total = 0;
  for (const { index, sh_type, sh_size } of headers) {
    if (index === 0 || sh_type === elf.SHT_NOBITS || sh_type === elf.SHT_NULL) continue;
    total += sh_size;
    if (total > bytes.length) {
      throw new ElfFormatError('BAD_SECTION', `section ${index} shares its bytes with others`, { section: index });
    }
  }
}

function readSegment(bytes: Uint8Array, view: DataView, header: ElfHeader, index: number): Segment {
  const at = header.e_phoff + index * elf.PHDR_SIZE;
  const p_offset = readExtent(view, at + 8, `segment ${index}: p_offset`);
  const p_filesz = readExtent(view, at + 32, `segment ${index}: p_filesz`);
  if (p_offset + p_filesz > bytes.length) {
    throw new ElfFormatError('TRUNCATED', `segment ${index} runs past the end of the file`, { segment: index });
  }
  return {
    p_type: view.getUint32(at, true),
    p_flags: view.getUint32(at + 4, true),
    p_offset,
    p_vaddr: readVa(view, at + 16),
    p_filesz,
    p_memsz: readExtent(view, at + 40, `segment ${index}: p_memsz`),
    data: bytes.subarray(p_offset, p_offset + p_filesz),
  };
}

/** The first section of that name, as the kernel's `find_sec()` takes it. */
export function findSection(file: ElfFile, name: string): Section | undefined {
  return file.sections.find((section) => section.name === name);
}
