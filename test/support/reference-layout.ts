/**
 * Where a module's sections go, a second time: one list a pass and region, joined and walked, written from the description of
 * layout_sections() and layout_symtab() without a look at lib/module.
 */

export interface ReferenceSection {
  readonly name: string;
  readonly flags: number;
  readonly size: number;
  readonly align: number;
}

export interface ReferenceSymbol {
  readonly name: string;
  /** Index into the sections (from 0); undefined for an undefined or absolute symbol. */
  readonly section: number | undefined;
}

export interface ReferenceModule {
  readonly sections: readonly ReferenceSection[];
  /** Without the null symbol, which is always kept. */
  readonly symbols: readonly ReferenceSymbol[];
  readonly strtabSize: number;
}

export interface ReferenceKernel {
  readonly split: boolean;
  readonly pageSize: number;
  readonly kallsyms: 'none' | 'functions' | 'all';
  readonly unload: boolean;
}

const [WRITE, ALLOC, EXEC, RO_AFTER_INIT] = [1, 2, 4, 0x200000];

const round = (x: number, align: number): number => (align < 2 ? x : x + ((align - (x % align)) % align));

/** The pass that takes a section: the first of five whose flags fit; undefined if none does. */
function passOf(flags: number): number | undefined {
  if ((flags & ALLOC) === 0) return undefined;
  if (flags & EXEC) return 1;
  if ((flags & WRITE) === 0) return 2;
  return flags & RO_AFTER_INIT ? 3 : 4;
}

/** 6.4 and later, by pass; a section that is read-only after init and init as well is taken in the pass after. */
const SPLIT: Record<'core' | 'init', Record<number, string>> = {
  core: { 1: 'text', 2: 'rodata', 3: 'ro_after_init', 4: 'data' },
  init: { 1: 'init_text', 2: 'init_rodata', 3: 'init_data', 4: 'init_data' },
};

/** What the kernel changes in the headers before: sections it does not keep, read-only-after-init ones, empty PLTs. */
function rewritten(section: ReferenceSection): ReferenceSection {
  switch (section.name) {
    case '.modinfo':
    case '__versions':
    case '.data..percpu':
      return { ...section, flags: section.flags & ~ALLOC };
    case '.data..ro_after_init':
    case '__jump_table':
      return { ...section, flags: section.flags | RO_AFTER_INIT };
    case '.plt':
    case '.init.plt':
      return { ...section, flags: EXEC | ALLOC, size: 12, align: 64 };
    default:
      return section;
  }
}

/** Offset of each section of a module without relocations in its region (`region+offset`), and each region's size. */
export function referenceLayout(asLinked: ReferenceModule, kernel: ReferenceKernel) {
  const module = { ...asLinked, sections: asLinked.sections.map(rewritten) };
  const offsets = new Map<number, string>();
  const sizes: Record<string, number> = {};
  const regionOf = (index: number): string | undefined => {
    const { name, flags } = module.sections[index]!;
    const pass = passOf(flags);
    const init = /^\.init/.test(name) || (!kernel.unload && /^\.exit/.test(name));
    if (pass === undefined) return undefined;
    const part = init ? 'init' : 'core';
    return kernel.split ? SPLIT[part][pass] : part;
  };
  const end = (region: string): number => sizes[region] ?? 0;
  for (const pass of [1, 2, 3, 4]) {
    module.sections.forEach(({ flags, size, align }, index) => {
      const region = regionOf(index);
      // In init_data the sections of the third pass wait for the fourth, whose order is that of the headers.
      const late = region === 'init_data' && passOf(flags) === 3;
      if (!region || (late ? 4 : passOf(flags)) !== pass) return;
      const offset = round(end(region), align);
      offsets.set(index, `${region}+${offset}`);
      sizes[region] = offset + size;
    });
    if (!kernel.split) {
      sizes.core = round(end('core'), kernel.pageSize);
      // The third pass belongs to core alone, and leaves init as it is.
      if (pass !== 3) sizes.init = round(end('init'), kernel.pageSize);
    }
  }
  if (kernel.kallsyms !== 'none') appendTables(module, kernel, { sizes, regionOf });
  return { offsets, sizes };
}

function appendTables(
  { sections, symbols, strtabSize }: ReferenceModule,
  kernel: ReferenceKernel,
  { sizes, regionOf }: { sizes: Record<string, number>; regionOf: (index: number) => string | undefined },
): void {
  const [core, init] = kernel.split ? ['data', 'init_data'] : ['core', 'init'];
  const percpu = sections.findIndex(({ name }) => name === '.data..percpu');
  const kept = symbols.filter(({ name, section }) => {
    if (section === undefined || name === '') return false;
    if (section === percpu) return kernel.kallsyms === 'all';
    const region = regionOf(section);
    if (region === undefined || region.startsWith('init')) return false;
    return kernel.kallsyms === 'all' || (sections[section]!.flags & EXEC) !== 0;
  });
  const names = kept.reduce((sum, { name }) => sum + name.length + 1, 1);
  const count = kept.length + 1;
  const coreEnd = round(sizes[core!] ?? 0, 8) + 24 * count + names + count;
  const initEnd =
    round(round(sizes[init!] ?? 0, 8) + 24 * (symbols.length + 1) + strtabSize, 8) + 32 + symbols.length + 1;
  sizes[core!] = kernel.split ? coreEnd : round(coreEnd, kernel.pageSize);
  sizes[init!] = kernel.split ? initEnd : round(initEnd, kernel.pageSize);
}
