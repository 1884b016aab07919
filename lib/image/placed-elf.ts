/**
 * The relocated kernel as an ELF file at its run addresses, for gdb, objdump and nm: a vmlinux moved, or a raw Image given
 * the sections its boundary symbols mark and the symbols of kallsyms.
 */
import { type Va, va, writeVa } from '../address.js';
import * as elf from '../elf/constant.js';
import type { ElfFile } from '../elf/file.js';
import { openSymbolTable } from '../elf/symbol-table.js';
import { type OutputSection, type OutputSymbol, writeElf, writeSymbolTable } from '../elf/writer.js';
import type { Kernel } from './kernel.js';

/**
 * @param image the whole image relocated to `linkBase + offset`
 * @param offset run address minus link address
 * Debug sections of a vmlinux stay as linked: a debugger wants `symbol-file -o` on the original for lines.
 */
export function placedElf(kernel: Kernel, image: Uint8Array, offset: number): Uint8Array {
  return kernel.elf
    ? movedVmlinux(kernel.elf, { image, linkBase: kernel.linkBase, offset })
    : wrappedImage(kernel, image, offset);
}

function movedVmlinux(file: ElfFile, placed: { image: Uint8Array; linkBase: Va; offset: number }): Uint8Array {
  const { image, linkBase, offset } = placed;
  const bytes = file.bytes.slice();
  const view = new DataView(bytes.buffer);
  const { header } = file;
  writeVa(view, 24, va(header.e_entry + offset));
  file.segments.forEach((segment, i) => {
    if (segment.p_vaddr >= 0) return;
    const start = segment.p_vaddr - linkBase;
    if (segment.p_type === elf.PT_LOAD && start >= 0)
      bytes.set(image.subarray(start, start + segment.p_filesz), segment.p_offset);
    writeVa(view, header.e_phoff + i * elf.PHDR_SIZE + 16, va(segment.p_vaddr + offset));
  });
  for (const section of file.sections) {
    if (section.sh_flags & elf.SHF_ALLOC && section.sh_addr < 0) {
      writeVa(view, header.e_shoff + section.index * elf.SHDR_SIZE + 16, va(section.sh_addr + offset));
    }
  }
  const symbols = openSymbolTable(file);
  for (let i = 1; symbols && i < symbols.count; i++) {
    if (symbols.isReserved(i)) continue;
    const section = file.sections[symbols.shndx(i)];
    if (section && section.sh_flags & elf.SHF_ALLOC) {
      writeVa(view, symbols.section.sh_offset + i * elf.SYM_SIZE + 8, va(symbols.value(i) + offset));
    }
  }
  return bytes;
}

const { SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE } = elf;

/** Sections by the symbols that may mark their start; one whose symbol is missing belongs to the one before. */
const SECTIONS: readonly { name: string; starts: readonly string[]; flags: number }[] = [
  { name: '.head.text', starts: ['_text'], flags: SHF_ALLOC | SHF_EXECINSTR },
  { name: '.text', starts: ['_stext'], flags: SHF_ALLOC | SHF_EXECINSTR },
  { name: '.rodata', starts: ['__start_rodata', '_etext'], flags: SHF_ALLOC },
  { name: '.init.text', starts: ['__inittext_begin', '_sinittext'], flags: SHF_ALLOC | SHF_EXECINSTR },
  { name: '.init.data', starts: ['__initdata_begin', '__inittext_end'], flags: SHF_ALLOC | SHF_WRITE },
  { name: '.data', starts: ['_sdata', '_data'], flags: SHF_ALLOC | SHF_WRITE },
];

function wrappedImage(kernel: Kernel, image: Uint8Array, offset: number): Uint8Array {
  const columns = kernel.symbols();
  const base = va(kernel.linkBase + offset);
  const marked = new Map<string, number>();
  columns.names.forEach((name, i) => {
    if (!marked.has(name)) marked.set(name, columns.addresses[i]! - kernel.linkBase);
  });
  const starts = SECTIONS.map(({ name, starts, flags }) => ({
    name,
    flags,
    at: name === '.head.text' ? 0 : marked.get(starts.find((symbol) => marked.has(symbol)) ?? ''),
  })).filter(
    (section): section is { name: string; flags: number; at: number } =>
      section.at !== undefined && section.at < image.length,
  );
  const sections: OutputSection[] = starts.map(({ name, flags, at }, i) => {
    const data = image.subarray(at, starts[i + 1]?.at ?? image.length);
    return {
      name,
      sh_type: elf.SHT_PROGBITS,
      sh_flags: flags,
      sh_addr: va(base + at),
      sh_size: data.length,
      sh_addralign: 8,
      data,
    };
  });
  sections.push({
    name: '.bss',
    sh_type: elf.SHT_NOBITS,
    sh_flags: SHF_ALLOC | SHF_WRITE,
    sh_addr: va(base + image.length),
    sh_size: kernel.imageSize - image.length,
    sh_addralign: 8,
    data: new Uint8Array(0),
  });
  const symbols = imageSymbols(kernel, offset, sections);
  return writeElf({
    e_type: elf.ET_EXEC,
    e_entry: base,
    sections: [...sections, ...writeSymbolTable(symbols, sections.length + 2)],
    loadable: true,
  });
}

/** kallsyms, and the exported variables that are not in it. */
function imageSymbols(kernel: Kernel, offset: number, sections: readonly OutputSection[]): OutputSymbol[] {
  const { count, names, types, addresses } = kernel.symbols();
  const at = (name: string, address: number, isGlobal: boolean): OutputSymbol => {
    const value = va(address + offset);
    const index = Math.max(
      sections.findLastIndex((section) => value >= section.sh_addr),
      0,
    );
    const isCode = (sections[index]!.sh_flags & SHF_EXECINSTR) !== 0;
    return {
      name,
      value,
      size: 0,
      bind: isGlobal ? elf.STB_GLOBAL : elf.STB_LOCAL,
      type: isCode ? elf.STT_FUNC : elf.STT_OBJECT,
      shndx: index + 1,
    };
  };
  const symbols = Array.from({ length: count }, (_, i) =>
    at(names[i]!, addresses[i]!, types[i] !== types[i]!.toLowerCase()),
  );
  const known = new Set(names);
  for (const [name, address] of kernel.exports()) if (!known.has(name)) symbols.push(at(name, address, true));
  return symbols;
}
