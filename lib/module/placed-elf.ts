/**
 * A loaded module as an ELF file whose sections, symbols and PLT are where the kernel has them, for objdump and gdb.
 *
 * What a call really reaches gets a name: symbols of the kernel and of other modules as absolute ones, PLT entries as `name@plt`.
 * Debug sections are relocated too, so that line numbers fit the addresses.
 */
import { type Va, va } from '../address.js';
import * as elf from '../elf/constant.js';
import type { Section } from '../elf/file.js';
import { openRelaTable } from '../elf/rela-table.js';
import { type OutputSection, type OutputSymbol, writeElf, writeSymbolTable } from '../elf/writer.js';
import { ModuleError } from '../errors.js';
import type { EntryKind } from '../plt/entry.js';
import { RelocatableSection } from '../reloc/apply.js';
import { PLT_SECTION } from './frobbed-section.js';
import type { LoadedModule, LoadedSection } from './loaded-module.js';
import type { ModuleFile } from './module-file.js';

/** @param entry the kind of the kernel's PLT entries */
export function moduleElf(file: ModuleFile, module: LoadedModule, entry: EntryKind): Uint8Array {
  const kept = [
    ...module.sections
      .filter(({ bytes }) => bytes.length > 0)
      .map((section) => ({ from: section.index, output: loadedSection(file, section) })),
    ...debugSections(file, module),
  ];
  const newIndex = new Map(kept.map(({ from }, i) => [from, i + 1]));
  const symbols = [...moduleSymbols(file, module, newIndex), ...pltSymbols(file, module, { entry, newIndex })];
  return writeElf({
    e_type: elf.ET_EXEC,
    e_entry: va(0),
    sections: [...kept.map(({ output }) => output), ...writeSymbolTable(symbols, kept.length + 2)],
    loadable: true,
  });
}

const isDebug = ({ name, sh_flags }: Section): boolean => name.startsWith('.debug_') && !(sh_flags & elf.SHF_ALLOC);

function loadedSection(
  file: ModuleFile,
  { index, name, address, bytes, sh_flags, sh_addralign }: LoadedSection,
): OutputSection {
  const isEmpty = file.elf.sections[index]!.sh_type === elf.SHT_NOBITS;
  return {
    name,
    sh_type: isEmpty ? elf.SHT_NOBITS : elf.SHT_PROGBITS,
    sh_flags: sh_flags & (elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR),
    sh_addr: address,
    sh_size: bytes.length,
    sh_addralign: Math.max(sh_addralign, 1),
    data: isEmpty ? bytes.subarray(0, 0) : bytes,
  };
}

function debugSections(file: ModuleFile, module: LoadedModule): { from: number; output: OutputSection }[] {
  const { sections } = file.elf;
  const symbols = module.symbols.map((address) => address ?? va(0));
  const contents = new Map(sections.filter(isDebug).map((section) => [section.index, section.data.slice()]));
  for (const table of sections) {
    const data = table.sh_type === elf.SHT_RELA ? contents.get(table.sh_info) : undefined;
    if (!data) continue;
    // A debug entry that does not fit describes code that is not loaded; it stays as it is.
    const resolution = { symbols, detour: () => Number.NaN, refuse: () => {} };
    new RelocatableSection(data, va(0)).apply({ relas: openRelaTable(table) }, resolution);
  }
  return [...contents].map(([from, data]) => {
    const { name, sh_type, sh_addralign } = sections[from]!;
    return { from, output: { name, sh_type, sh_flags: 0, sh_addr: va(0), sh_size: data.length, sh_addralign, data } };
  });
}

/** A symbol takes 24 bytes, so names of under 70 letters on the average always have room; ends of one long name do not. */
const NAME_EFFORT = 4;

function moduleSymbols(
  { symbols, elf: file }: ModuleFile,
  module: LoadedModule,
  newIndex: ReadonlyMap<number, number>,
): OutputSymbol[] {
  const output: OutputSymbol[] = [];
  let room = NAME_EFFORT * file.bytes.length;
  for (let i = 1; i < symbols.count; i++) {
    const shndx = symbols.shndx(i);
    const isAbsolute = symbols.isReserved(i) || shndx === elf.SHN_UNDEF;
    const index = isAbsolute ? elf.SHN_ABS : newIndex.get(shndx);
    const value = module.symbols[i];
    if (index === undefined || value === undefined || symbols.type(i) === elf.STT_FILE) continue;
    const name = symbols.name(i);
    room -= name.length;
    if (room < 0) throw new ModuleError('BAD_LAYOUT', 'the symbols have longer names than the file holds');
    output.push({
      name,
      value,
      size: symbols.size(i),
      bind: symbols.bind(i),
      type: symbols.type(i),
      shndx: index,
    });
  }
  return output;
}

function pltSymbols(
  { symbols }: ModuleFile,
  module: LoadedModule,
  { entry, newIndex }: { entry: EntryKind; newIndex: ReadonlyMap<number, number> },
): OutputSymbol[] {
  const symbolAt = new Map<number, number>();
  for (let i = 1; i < symbols.count; i++) {
    const address = module.symbols[i];
    if (address !== undefined && symbols.name(i) !== '') symbolAt.set(address, i);
  }
  const output: OutputSymbol[] = [];
  for (const part of ['core', 'init'] as const) {
    const section = module.sections.find(({ name }) => name === PLT_SECTION[part]);
    if (!section) continue;
    const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.length);
    for (let slot = 0; slot < module.plt[part].used; slot++) {
      const offset = slot * entry.size;
      const place = (section.address + offset) as Va;
      const symbol = symbolAt.get(entry.destination({ view, offset, place }) ?? 0);
      if (symbol === undefined) continue;
      const shndx = newIndex.get(section.index)!;
      output.push({
        name: `${symbols.name(symbol)}@plt`,
        value: place,
        size: entry.size,
        bind: elf.STB_LOCAL,
        type: elf.STT_FUNC,
        shndx,
      });
    }
  }
  return output;
}
