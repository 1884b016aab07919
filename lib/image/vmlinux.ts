/** A vmlinux seen as what it becomes: the raw image its segments load, its tables and its symbols. */
import { type Va, va } from '../address.js';
import * as elf from '../elf/constant.js';
import { type ElfFile, findSection, openElf, type Section } from '../elf/file.js';
import { openSymbolTable } from '../elf/symbol-table.js';
import { ImageFormatError } from '../errors.js';
import type { RelocationTables } from '../reloc/relative-place.js';
import type { SymbolColumns } from './kallsyms.js';

export interface Vmlinux {
  readonly file: ElfFile;
  /** Link address of the first byte of the image, `_text`. */
  readonly linkBase: Va;
  readonly image: Uint8Array;
  readonly tables: RelocationTables;
}

/** Segments are aligned to 64 KiB or 2 MiB; holes beyond that between a few segments are no kernel's. */
const HOLE_LIMIT = 64 * 2 ** 20;

/**
 * Lays out the loadable segments of a vmlinux as one image, as `objcopy -O binary` does.
 * @throws ElfFormatError if the file is no AArch64 ET_EXEC or ET_DYN; ImageFormatError NOT_A_KERNEL, TOO_LARGE or BAD_TABLE
 */
export function openVmlinux(bytes: Uint8Array): Vmlinux {
  const file = openElf(bytes, [elf.ET_EXEC, elf.ET_DYN]);
  const loads = file.segments.filter(
    (segment) => segment.p_type === elf.PT_LOAD && segment.p_filesz > 0 && segment.p_vaddr < 0,
  );
  if (loads.length === 0) throw new ImageFormatError('NOT_A_KERNEL', 'no segment is loaded at a kernel address');
  if (loads.reduce((sum, segment) => sum + segment.p_filesz, 0) > bytes.length) {
    throw new ImageFormatError('BAD_TABLE', 'segments share bytes of the file');
  }
  const linkBase = va(Math.min(...loads.map((segment) => segment.p_vaddr)));
  const end = Math.max(...loads.map((segment) => segment.p_vaddr + segment.p_filesz));
  if (end - linkBase > bytes.length + HOLE_LIMIT) {
    throw new ImageFormatError(
      'TOO_LARGE',
      `segments spread over ${end - linkBase} bytes, the file has ${bytes.length}`,
    );
  }
  const image = new Uint8Array(Math.ceil((end - linkBase) / 8) * 8);
  for (const segment of loads) image.set(segment.data, segment.p_vaddr - linkBase);
  const located = (section: Section | undefined) =>
    section ? locate(section, linkBase, image.length) : { offset: 0, size: 0 };
  const rela = located(findSection(file, '.rela.dyn') ?? findSection(file, '.rela'));
  const relr = located(findSection(file, '.relr.dyn'));
  return {
    file,
    linkBase,
    image,
    tables: {
      rela: { offset: rela.offset, count: Math.floor(rela.size / elf.RELA_SIZE) },
      relr: { offset: relr.offset, words: Math.floor(relr.size / 8), count: 0 },
    },
  };
}

function locate(section: Section, linkBase: number, length: number): { offset: number; size: number } {
  const offset = section.sh_addr - linkBase;
  if (offset < 0 || offset + section.sh_size > length || offset % 8 !== 0) {
    throw new ImageFormatError('BAD_TABLE', `${section.name} is not inside the loaded image`, {
      section: section.name,
    });
  }
  return { offset, size: section.sh_size };
}

/** What mksysmap leaves out: mapping symbols and local labels. */
const NOT_LISTED = /^(\$|\.L)/;

/**
 * The symbols as nm and System.map list them, by address.
 * @throws ImageFormatError NO_SYMBOLS if the file is stripped
 */
export function vmlinuxSymbols({ file }: Vmlinux): SymbolColumns {
  const table = openSymbolTable(file);
  if (!table) throw new ImageFormatError('NO_SYMBOLS', 'the vmlinux is stripped: it has no .symtab');
  const listed: { name: string; type: string; address: number }[] = [];
  // A symbol takes 24 bytes, so names of under 70 letters on the average always have room; ends of one long name do not.
  let room = 4 * file.bytes.length;
  for (let i = 1; i < table.count; i++) {
    const type = table.type(i);
    if (type === elf.STT_FILE || type === elf.STT_SECTION || table.shndx(i) === elf.SHN_UNDEF) continue;
    // Absolute symbols are constants, not places; many hold no address at all.
    if (table.isReserved(i)) continue;
    const name = table.name(i);
    room -= name.length;
    if (room < 0)
      throw new ImageFormatError('BAD_TABLE', 'the symbols of .symtab have longer names than the file holds');
    const section = file.sections[table.shndx(i)];
    if (!section || name === '' || NOT_LISTED.test(name)) continue;
    const address = table.value(i);
    if (address >= 0) continue;
    listed.push({ name, type: typeLetter(section, table.bind(i)), address });
  }
  listed.sort((a, b) => a.address - b.address);
  return {
    count: listed.length,
    names: listed.map(({ name }) => name),
    types: listed.map(({ type }) => type),
    addresses: Float64Array.from(listed, ({ address }) => address),
  };
}

function typeLetter({ sh_type, sh_flags }: Section, bind: number): string {
  if (bind === elf.STB_WEAK) return 'W';
  const letter =
    sh_flags & elf.SHF_EXECINSTR ? 't' : sh_type === elf.SHT_NOBITS ? 'b' : sh_flags & elf.SHF_WRITE ? 'd' : 'r';
  return bind === elf.STB_LOCAL ? letter : letter.toUpperCase();
}
