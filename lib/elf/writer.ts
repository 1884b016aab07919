/**
 * Writes an ELF64 AArch64 file from sections (gABI chapter 4): header, program headers, section contents, section headers.
 */
import { type Va, writeVa } from '../address.js';
import { alignUp } from '../bits.js';
import * as elf from './constant.js';

/** A section to be written; `data` may be shorter than `sh_size` only for SHT_NOBITS. */
export interface OutputSection {
  readonly name: string;
  readonly sh_type: number;
  readonly sh_flags: number;
  readonly sh_addr: Va;
  readonly sh_size: number;
  readonly sh_link?: number;
  readonly sh_info?: number;
  readonly sh_addralign: number;
  readonly sh_entsize?: number;
  readonly data: Uint8Array;
}

export interface OutputFile {
  readonly e_type: number;
  readonly e_entry: Va;
  /** Sections from index 1 on; the null section and .shstrtab are added. */
  readonly sections: readonly OutputSection[];
  /** Whether each allocated section gets a PT_LOAD of its own. */
  readonly loadable: boolean;
}

/** Names joined into a string table, each once, and where each begins. */
export class StringTable {
  readonly #offsets = new Map<string, number>([['', 0]]);
  readonly #pieces: string[] = ['\0'];
  #length = 1;

  add(name: string): number {
    let offset = this.#offsets.get(name);
    if (offset === undefined) {
      offset = this.#length;
      this.#offsets.set(name, offset);
      this.#pieces.push(name, '\0');
      this.#length += name.length + 1;
    }
    return offset;
  }

  bytes(): Uint8Array {
    return Buffer.from(this.#pieces.join(''), 'latin1');
  }
}

/** Contents start where their addresses do modulo this, so that loaders can map them. */
const LOAD_ALIGN = 4096;

/** The bytes of the file. Does not check that sections are disjoint or that links make sense. */
export function writeElf(file: OutputFile): Uint8Array {
  const names = new StringTable();
  const nameOffsets = file.sections.map((section) => names.add(section.name));
  const shstrtabName = names.add('.shstrtab');
  const strings = names.bytes();

  const isLoaded = (section: OutputSection): boolean => file.loadable && (section.sh_flags & elf.SHF_ALLOC) !== 0;
  const loads = file.sections.flatMap((section, index) => (isLoaded(section) ? [{ section, index }] : []));
  let end = elf.EHDR_SIZE + loads.length * elf.PHDR_SIZE;
  const offsets = file.sections.map((section) => {
    const start = alignUp(end, isLoaded(section) ? LOAD_ALIGN : Math.max(section.sh_addralign, 1));
    const offset = isLoaded(section) ? start + modulo(section.sh_addr, LOAD_ALIGN) : start;
    end = offset + section.data.length;
    return offset;
  });
  const stringsAt = end;
  const headersAt = alignUp(stringsAt + strings.length, 8);
  const count = file.sections.length + 2;
  const bytes = new Uint8Array(headersAt + count * elf.SHDR_SIZE);
  const view = new DataView(bytes.buffer);

  writeHeader(view, file, { headersAt, count, loads: loads.length });
  loads.forEach(({ section, index }, i) => {
    writeLoad(view, elf.EHDR_SIZE + i * elf.PHDR_SIZE, section, offsets[index]!);
  });
  file.sections.forEach((section, i) => {
    bytes.set(section.data, offsets[i]!);
    writeSection(view, headersAt + (i + 1) * elf.SHDR_SIZE, section, { name: nameOffsets[i]!, offset: offsets[i]! });
  });
  bytes.set(strings, stringsAt);
  const shstrtab: OutputSection = {
    name: '.shstrtab',
    sh_type: elf.SHT_STRTAB,
    sh_flags: 0,
    sh_addr: 0 as Va,
    sh_size: strings.length,
    sh_addralign: 1,
    data: strings,
  };
  writeSection(view, headersAt + (count - 1) * elf.SHDR_SIZE, shstrtab, { name: shstrtabName, offset: stringsAt });
  return bytes;
}

const modulo = (x: number, m: number): number => ((x % m) + m) % m;

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function writeHeader(
  view: DataView,
  file: OutputFile,
  table: { headersAt: number; count: number; loads: number },
): void {
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2); // ELFCLASS64
  view.setUint8(5, 1); // ELFDATA2LSB
  view.setUint8(6, 1); // EV_CURRENT
  view.setUint16(16, file.e_type, true);
  view.setUint16(18, elf.EM_AARCH64, true);
  view.setUint32(20, 1, true);
  writeVa(view, 24, file.e_entry);
  setU64(view, 32, table.loads > 0 ? elf.EHDR_SIZE : 0);
  setU64(view, 40, table.headersAt);
  view.setUint16(52, elf.EHDR_SIZE, true);
  view.setUint16(54, elf.PHDR_SIZE, true);
  view.setUint16(56, table.loads, true);
  view.setUint16(58, elf.SHDR_SIZE, true);
  view.setUint16(60, table.count, true);
  view.setUint16(62, table.count - 1, true);
}

function writeLoad(view: DataView, at: number, section: OutputSection, offset: number): void {
  const write = section.sh_flags & elf.SHF_WRITE ? 2 : 0;
  const execute = section.sh_flags & elf.SHF_EXECINSTR ? 1 : 0;
  view.setUint32(at, elf.PT_LOAD, true);
  view.setUint32(at + 4, 4 | write | execute, true);
  setU64(view, at + 8, offset);
  writeVa(view, at + 16, section.sh_addr);
  writeVa(view, at + 24, section.sh_addr);
  setU64(view, at + 32, section.data.length);
  setU64(view, at + 40, section.sh_size);
  setU64(view, at + 48, LOAD_ALIGN);
}

function writeSection(
  view: DataView,
  at: number,
  section: OutputSection,
  where: { name: number; offset: number },
): void {
  view.setUint32(at, where.name, true);
  view.setUint32(at + 4, section.sh_type, true);
  setU64(view, at + 8, section.sh_flags);
  writeVa(view, at + 16, section.sh_addr);
  setU64(view, at + 24, where.offset);
  setU64(view, at + 32, section.sh_size);
  view.setUint32(at + 40, section.sh_link ?? 0, true);
  view.setUint32(at + 44, section.sh_info ?? 0, true);
  setU64(view, at + 48, section.sh_addralign);
  setU64(view, at + 56, section.sh_entsize ?? 0);
}

/** A symbol to be written. */
export interface OutputSymbol {
  readonly name: string;
  readonly value: Va;
  readonly size: number;
  readonly bind: number;
  readonly type: number;
  readonly shndx: number;
}

/** .symtab and .strtab of the symbols, locals first as the gABI wants; `stringIndex` is the index .strtab will have. */
export function writeSymbolTable(symbols: readonly OutputSymbol[], stringIndex: number): OutputSection[] {
  const ordered = [
    ...symbols.filter((s) => s.bind === elf.STB_LOCAL),
    ...symbols.filter((s) => s.bind !== elf.STB_LOCAL),
  ];
  const strings = new StringTable();
  const data = new Uint8Array((ordered.length + 1) * elf.SYM_SIZE);
  const view = new DataView(data.buffer);
  ordered.forEach((symbol, i) => {
    const at = (i + 1) * elf.SYM_SIZE;
    view.setUint32(at, strings.add(symbol.name), true);
    view.setUint8(at + 4, (symbol.bind << 4) | symbol.type);
    view.setUint16(at + 6, symbol.shndx, true);
    writeVa(view, at + 8, symbol.value);
    setU64(view, at + 16, symbol.size);
  });
  const table = { sh_flags: 0, sh_addr: 0 as Va };
  const names = strings.bytes();
  return [
    {
      ...table,
      name: '.symtab',
      sh_type: elf.SHT_SYMTAB,
      sh_size: data.length,
      sh_link: stringIndex,
      sh_info: 1 + symbols.filter((s) => s.bind === elf.STB_LOCAL).length,
      sh_addralign: 8,
      sh_entsize: elf.SYM_SIZE,
      data,
    },
    { ...table, name: '.strtab', sh_type: elf.SHT_STRTAB, sh_size: names.length, sh_addralign: 1, data: names },
  ];
}
