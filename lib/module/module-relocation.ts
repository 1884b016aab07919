/**
 * The relocation of a module whose sections are in place and whose symbols are resolved.
 * @see Linux 6.1 kernel/module/main.c, apply_relocations()
 */
import { type Va, va } from '../address.js';
import { RelocationError } from '../errors.js';
import { relocateSection } from '../plt/relocate.js';
import { PltSection } from '../plt/section.js';
import { NO_ADDRESS, type Refusal, RelocatableSection } from '../reloc/apply.js';
import { relocationError } from '../reloc/failure.js';
import { PLT_SECTION, type SectionRelocations } from './frobbed-section.js';
import type { PreparedModule } from './load.js';
import type { LoadedSection } from './loaded-module.js';
import { isInitRegion } from './loader-rule.js';
import type { ModuleFile } from './module-file.js';

export interface ModuleMemory {
  /** By index; written in place. */
  readonly sections: ReadonlyMap<number, LoadedSection>;
  readonly symbols: readonly (Va | undefined)[];
}

/**
 * Applies all relocations of loaded sections, in header order, and fills the PLTs. A symbol without an address belongs to a
 * section that a plan leaves out; what refers to it stays as it is.
 * @returns the PLTs, filled
 * @throws RelocationError naming section, offset and symbol; PltError EXHAUSTED or UNREACHABLE
 */
export function relocateModule(prepared: PreparedModule, { sections, symbols }: ModuleMemory) {
  const { file, environment, frobbed, layout } = prepared;
  const plts = openPlts(prepared, sections);
  for (const relocations of frobbed.relocations) {
    const section = sections.get(relocations.target);
    if (!section) continue;
    const isInit = isInitRegion(layout.places.get(relocations.target)!.region) && environment.rule.plt.initSection;
    relocateSection({
      section: new RelocatableSection(section.bytes, section.address),
      relas: relocations.relas,
      symbols,
      plt: plts[isInit ? 'init' : 'core'],
      refuse: (index, refusal) => {
        const isLeftOut = refusal === NO_ADDRESS && relocations.relas.symbol(index) < symbols.length;
        if (!isLeftOut) throw refusedRecord(file, { section, relocations, symbols }, index, refusal);
      },
    });
  }
  return plts;
}

interface RefusingSection {
  readonly section: LoadedSection;
  readonly relocations: SectionRelocations;
  readonly symbols: readonly (Va | undefined)[];
}

function refusedRecord(
  file: ModuleFile,
  { section, relocations: { relas }, symbols }: RefusingSection,
  index: number,
  refusal: Refusal,
): RelocationError {
  const symbol = relas.symbol(index);
  if (refusal === NO_ADDRESS) return badSymbol(section.name, index, symbol);
  const offset = relas.offset(index);
  return relocationError(refusal, {
    section: section.name,
    type: relas.type(index),
    offset,
    S: symbols[symbol]!,
    A: relas.addend(index),
    P: va(section.address + Math.min(offset, section.bytes.length)),
    symbol: symbolName(file, symbol),
  });
}

/** What is thrown of a record whose symbol index is beyond the table. */
export function badSymbol(section: string, index: number, symbol: number): RelocationError {
  return new RelocationError(
    'BAD_SYMBOL',
    `(${section}): relocation ${index} names symbol ${symbol}, which does not exist`,
    {
      section,
      symbol,
    },
  );
}

/** A section symbol has no name of its own. */
function symbolName({ symbols, elf }: ModuleFile, index: number): string {
  return symbols.name(index) || (symbols.isReserved(index) ? '' : (elf.sections[symbols.shndx(index)]?.name ?? ''));
}

function openPlts({ frobbed, environment }: PreparedModule, sections: ReadonlyMap<number, LoadedSection>) {
  const { rule, erratum843419 } = environment;
  const open = (part: 'core' | 'init'): PltSection => {
    const section = [...sections.values()].find(({ name }) => name === PLT_SECTION[part]);
    return new PltSection({
      format: rule.plt,
      bytes: section?.bytes ?? new Uint8Array(0),
      address: section?.address ?? va(0),
      reserved: frobbed.reserved[part],
      erratum843419,
    });
  };
  return { core: open('core'), init: open('init') };
}
