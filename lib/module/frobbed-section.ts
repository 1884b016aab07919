/**
 * Section headers as the kernel rewrites them before it lays a module out: what is not kept loses SHF_ALLOC, PLT and ftrace
 * sections get their size, relocations their order.
 * @see Linux 6.1 kernel/module/main.c, rewrite_section_headers(), layout_and_allocate(); arch/arm64/kernel/module-plts.c,
 * module_frob_arch_sections()
 */
import * as elf from '../elf/constant.js';
import type { Section } from '../elf/file.js';
import { openRelaTable, type RelaTable } from '../elf/rela-table.js';
import { ElfFormatError, PltError } from '../errors.js';
import { countPltEntries, pltSectionSize } from '../plt/count.js';
import { isBranch, orderForPlt } from '../plt/order.js';
import type { LoaderEnvironment } from './loader-rule.js';
import type { ModuleFile } from './module-file.js';

export interface FrobbedSection {
  readonly section: Section;
  sh_flags: number;
  sh_size: number;
  sh_addralign: number;
  /** SHT_NOBITS in memory: nothing is copied from the file. */
  isNobits: boolean;
}

/** Relocations of one section, in the order they are applied. */
export interface SectionRelocations {
  /** Index of the section that is relocated. */
  readonly target: number;
  readonly relas: RelaTable;
}

export interface FrobbedModule {
  readonly sections: readonly FrobbedSection[];
  readonly relocations: readonly SectionRelocations[];
  /** PLT entries counted. */
  readonly reserved: { readonly core: number; readonly init: number };
  /** CALL26 and JUMP26 relocations, wherever they lead. */
  readonly branches: number;
  /** Index of `.data..percpu`, which is copied into a per-CPU allocation; 0 if there is none. */
  readonly percpu: number;
}

export const PERCPU_SECTION = '.data..percpu';

/** `.init*`, and `.exit*` where modules cannot be unloaded. */
export function isInitSection(name: string, { moduleUnload }: LoaderEnvironment): boolean {
  return name.startsWith('.init') || (!moduleUnload && name.startsWith('.exit'));
}

/**
 * @throws PltError MISSING_SECTION if a module has no PLT sections, which the kernel refuses
 * @throws ElfFormatError BAD_SECTION for a RELA section that names no section, or itself, to relocate
 */
export function frobSections(file: ModuleFile, environment: LoaderEnvironment): FrobbedModule {
  const sections = file.elf.sections.map((section): FrobbedSection => {
    const { sh_flags, sh_size, sh_addralign, sh_type } = section;
    return { section, sh_flags, sh_size, sh_addralign, isNobits: sh_type === elf.SHT_NOBITS };
  });
  const named = (name: string): FrobbedSection | undefined => sections.find(({ section }) => section.name === name);
  for (const name of ['.modinfo', '__versions']) dropFlag(named(name));

  const { relocations, reserved } = orderRelocations(file, sections, environment);
  sizePlts(named, reserved, environment);

  const percpu = named(PERCPU_SECTION);
  dropFlag(percpu);
  for (const name of ['.data..ro_after_init', '__jump_table']) {
    const section = named(name);
    if (section) section.sh_flags += section.sh_flags & elf.SHF_RO_AFTER_INIT ? 0 : elf.SHF_RO_AFTER_INIT;
  }
  const branches = relocations.reduce((sum, { relas }) => sum + countBranches(relas), 0);
  return { sections, relocations, reserved, branches, percpu: percpu?.section.index ?? 0 };
}

function dropFlag(section: FrobbedSection | undefined): void {
  if (section && section.sh_flags & elf.SHF_ALLOC) section.sh_flags -= elf.SHF_ALLOC;
}

function orderRelocations(file: ModuleFile, sections: readonly FrobbedSection[], environment: LoaderEnvironment) {
  const { rule, erratum843419 } = environment;
  const reserved = { core: 0, init: 0 };
  const relocations: SectionRelocations[] = [];
  for (const { section } of sections) {
    if (section.sh_type === elf.SHT_REL) throw unusableTable(section, 'REL relocations are not used on AArch64');
    if (section.sh_type !== elf.SHT_RELA) continue;
    const target = sections[section.sh_info];
    if (!target || target.section.sh_type === elf.SHT_RELA || section.sh_info === 0) {
      throw unusableTable(section, `sh_info ${section.sh_info} is no section to relocate`);
    }
    const relas = openRelaTable(section);
    if (!(target.sh_flags & elf.SHF_EXECINSTR)) {
      relocations.push({ target: section.sh_info, relas });
      continue;
    }
    const context = { format: rule.plt, symbols: file.symbols, target: section.sh_info };
    const ordered = orderForPlt(relas, context);
    const need = countPltEntries(ordered, context, erratum843419);
    reserved[isInitSection(target.section.name, environment) ? 'init' : 'core'] += need.entries;
    target.sh_addralign = Math.max(target.sh_addralign, need.alignment);
    relocations.push({ target: section.sh_info, relas: ordered });
  }
  if (!rule.plt.initSection) return { relocations, reserved: { core: reserved.core + reserved.init, init: 0 } };
  return { relocations, reserved };
}

function countBranches(relas: RelaTable): number {
  let count = 0;
  for (let i = 0; i < relas.count; i++) if (isBranch(relas.type(i))) count++;
  return count;
}

function unusableTable(section: Section, reason: string): ElfFormatError {
  return new ElfFormatError('BAD_SECTION', `${section.name}: ${reason}`, { section: section.name });
}

/** Where the PLTs are: both from 4.12, one before. */
export const PLT_SECTION = { core: '.plt', init: '.init.plt' } as const;
const FTRACE_SECTIONS = ['.text.ftrace_trampoline', '.init.text.ftrace_trampoline'];
/** __alignof__(struct plt_entry). */
const FTRACE_ALIGN = 4;

function sizePlts(
  named: (name: string) => FrobbedSection | undefined,
  reserved: { readonly core: number; readonly init: number },
  { rule: { plt } }: LoaderEnvironment,
): void {
  const resize = (section: FrobbedSection, sh_size: number, sh_addralign: number): void => {
    Object.assign(section, { sh_flags: elf.SHF_EXECINSTR | elf.SHF_ALLOC, sh_size, sh_addralign, isNobits: true });
  };
  for (const part of plt.initSection ? (['core', 'init'] as const) : (['core'] as const)) {
    const section = named(PLT_SECTION[part]);
    if (!section)
      throw new PltError(
        'MISSING_SECTION',
        `module PLT section ${PLT_SECTION[part]} is missing: not linked for arm64 KASLR`,
      );
    resize(section, pltSectionSize(plt, reserved[part]), plt.alignment);
  }
  for (const name of FTRACE_SECTIONS) {
    const section = named(name);
    if (section) resize(section, plt.ftraceEntries * plt.entry.size, FTRACE_ALIGN);
  }
}
