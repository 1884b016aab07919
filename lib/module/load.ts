/**
 * The load of one module: prepared without addresses (layout, PLT sizes), then copied, resolved and relocated at given ones.
 * @see Linux 6.1 kernel/module/main.c, load_module(), up to module_finalize()
 */
import { type Va, va } from '../address.js';
import { ModuleError } from '../errors.js';
import { sortExceptionTable } from './exception-table.js';
import { readExports } from './export-table.js';
import { type FrobbedModule, frobSections } from './frobbed-section.js';
import { layoutModule, type ModuleLayout } from './layout.js';
import type { LoadedModule, LoadedSection, ModuleAddresses } from './loaded-module.js';
import type { LoaderEnvironment } from './loader-rule.js';
import type { ModuleFile } from './module-file.js';
import { relocateModule } from './module-relocation.js';
import { resolveSymbols } from './symbol-resolution.js';

/** What of a load does not depend on addresses. */
export interface PreparedModule {
  readonly file: ModuleFile;
  readonly environment: LoaderEnvironment;
  readonly frobbed: FrobbedModule;
  readonly layout: ModuleLayout;
}

/** @throws ModuleError, PltError MISSING_SECTION, ElfFormatError, RelocationError BAD_SYMBOL */
export function prepareModule(file: ModuleFile, environment: LoaderEnvironment): PreparedModule {
  const frobbed = frobSections(file, environment);
  return { file, environment, frobbed, layout: layoutModule(file, frobbed, environment) };
}

/**
 * Loads a prepared module.
 * @param lookup the run address of an export of the kernel or an earlier module
 * @throws ModuleError UNDEFINED_SYMBOLS; RelocationError naming section, offset and symbol; PltError EXHAUSTED
 */
export function loadModule(
  prepared: PreparedModule,
  addresses: ModuleAddresses,
  lookup: (name: string) => Va | undefined,
): LoadedModule {
  const { file, environment, frobbed } = prepared;
  const sections = copySections(prepared, addresses);
  const symbols = resolveSymbols(file, {
    lookup,
    sectionAddress: (index) => addressOfSection(prepared, sections, addresses, index),
  });
  const plts = relocateModule(prepared, { sections, symbols });
  const loaded = [...sections.values()];
  const table = loaded.find(({ name }) => name === '__ex_table');
  if (table) sortExceptionTable(table.bytes, environment.rule.extableEntrySize);
  return {
    name: file.name,
    sections: loaded,
    plt: {
      core: { used: plts.core.used, reserved: frobbed.reserved.core },
      init: { used: plts.init.used, reserved: frobbed.reserved.init },
    },
    branches: frobbed.branches,
    veneers: plts.core.veneers + plts.init.veneers,
    exports: readExports(loaded, environment.rule),
    symbols,
  };
}

/** The loaded sections by index, in header order, holding what the file holds; each region is one buffer, as in memory. */
function copySections({ frobbed, layout }: PreparedModule, { memory }: ModuleAddresses): Map<number, LoadedSection> {
  const regions = new Map(
    [...layout.sizes].map(([region, size]) => [region, memory.has(region) ? new Uint8Array(size) : undefined]),
  );
  const sections = new Map<number, LoadedSection>();
  for (const { section, sh_flags, sh_size, sh_addralign, isNobits } of frobbed.sections) {
    const place = layout.places.get(section.index);
    const region = place && regions.get(place.region);
    if (!region) continue;
    const bytes = region.subarray(place.offset, place.offset + sh_size);
    if (!isNobits) bytes.set(section.data);
    const address = va(memory.get(place.region)! + place.offset);
    sections.set(section.index, { index: section.index, name: section.name, address, bytes, sh_flags, sh_addralign });
  }
  return sections;
}

/** Undefined for a section that a plan leaves out; 0 for one that is never loaded, as in the kernel. */
function addressOfSection(
  { frobbed, layout, file }: PreparedModule,
  sections: ReadonlyMap<number, LoadedSection>,
  { percpu }: ModuleAddresses,
  index: number,
): Va | undefined {
  if (index === frobbed.percpu) {
    if (percpu === undefined)
      throw new ModuleError('BAD_PLAN', `${file.name} has per-CPU data: its address (percpu) is missing`);
    return percpu;
  }
  return layout.places.has(index) ? sections.get(index)?.address : va(0);
}
