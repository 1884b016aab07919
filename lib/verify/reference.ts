/**
 * The references of a module: each relocation the kernel would apply, and where what it refers to lies.
 *
 * Nothing has an address yet. What counts is whether the target moves with the place: same section (a fixed distance), another
 * section of the module (another allocation, perhaps), outside of it, or nowhere because the value is absolute.
 */
import * as elf from '../elf/constant.js';
import type { Section } from '../elf/file.js';
import { openRelaTable } from '../elf/rela-table.js';
import { ElfFormatError, RelocationError } from '../errors.js';
import { PERCPU_SECTION } from '../module/frobbed-section.js';
import type { ModuleFile } from '../module/module-file.js';
import { findRelocationRow, type RelocationRow } from '../reloc/table.js';

export type Target = 'same-section' | 'other-section' | 'external' | 'absolute';

export interface Reference {
  /** The section that is relocated, and r_offset. */
  readonly section: Section;
  readonly offset: number;
  readonly type: number;
  /** Undefined for a type that Linux refuses. */
  readonly row: RelocationRow | undefined;
  readonly symbol: number;
  readonly addend: bigint;
  readonly target: Target;
  /** Whether the symbol is 0 if nobody exports it. */
  readonly isWeak: boolean;
  /** S + A: from the start of the target's section, or the value itself if absolute; 0 + A if external. */
  readonly value: bigint;
}

/** What the kernel drops before it relocates anything. */
const NEVER_RELOCATED = ['.modinfo', '__versions'];

/**
 * Every relocation of a section that is loaded, in file order.
 * @throws ElfFormatError BAD_SECTION for a table that is none or relocates no section; RelocationError BAD_SYMBOL
 */
export function* referencesOf(file: ModuleFile): Generator<Reference> {
  for (const table of file.elf.sections) {
    if (table.sh_type !== elf.SHT_RELA) continue;
    const section = file.elf.sections[table.sh_info];
    if (!section || table.sh_info === 0) {
      throw new ElfFormatError('BAD_SECTION', `${table.name}: sh_info ${table.sh_info} is no section to relocate`);
    }
    if (!(section.sh_flags & elf.SHF_ALLOC) || NEVER_RELOCATED.includes(section.name)) continue;
    const relas = openRelaTable(table);
    for (let i = 0; i < relas.count; i++) {
      const symbol = relas.symbol(i);
      const type = relas.type(i);
      const addend = relas.addend(i);
      if (symbol >= file.symbols.count) {
        const message = `(${section.name}): relocation ${i} names symbol ${symbol}, which does not exist`;
        throw new RelocationError('BAD_SYMBOL', message, { section: section.name, symbol });
      }
      const target = targetOf(file, symbol, section);
      const value = (target === 'external' ? 0n : BigInt(file.symbols.value(symbol))) + addend;
      const isWeak = target === 'external' && file.symbols.bind(symbol) === elf.STB_WEAK;
      const row = findRelocationRow(type);
      yield { section, offset: relas.offset(i), type, row, symbol, addend, target, isWeak, value };
    }
  }
}

function targetOf({ symbols, elf: file }: ModuleFile, symbol: number, section: Section): Target {
  const shndx = symbols.shndx(symbol);
  if (symbols.isReserved(symbol)) return shndx === elf.SHN_ABS ? 'absolute' : 'external';
  if (shndx === elf.SHN_UNDEF) return symbol === 0 ? 'absolute' : 'external';
  if (shndx === section.index) return 'same-section';
  const home = file.sections[shndx];
  // Per-CPU variables are copied to the kernel's own per-CPU area; what is not allocated is not in memory at all.
  return home && home.sh_flags & elf.SHF_ALLOC && home.name !== PERCPU_SECTION ? 'other-section' : 'external';
}

/** The symbol's name; for a section symbol, which has none, the section's. */
export function symbolName({ symbols, elf: file }: ModuleFile, symbol: number): string {
  const name = symbols.name(symbol);
  if (name !== '' || symbols.isReserved(symbol)) return name;
  return file.sections[symbols.shndx(symbol)]?.name ?? '';
}
