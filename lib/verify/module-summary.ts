/** What can be said of a module without loading it: its code model, relocations by type, and the PLT entries it would get. */
import { type KaslrkitError, PltError } from '../errors.js';
import { ERAS } from '../kaslr/era.js';
import { frobSections } from '../module/frobbed-section.js';
import type { ModuleFile } from '../module/module-file.js';
import { relocationName } from '../reloc/name.js';
import { type CodeModel, codeModelOf } from './code-model.js';
import { referencesOf } from './reference.js';
import { builtForEnvironment, builtForVersion } from './vermagic.js';

export interface ModuleSummary {
  readonly codeModel: CodeModel;
  /** Relocations of loaded sections by the names of their types, most frequent first. */
  readonly relocations: ReadonlyMap<string, number>;
  readonly plt: { readonly core: { readonly reserved: number }; readonly init: { readonly reserved: number } };
}

/**
 * Summarises a module for the kernel that its version magic names, the newest if it names none.
 * PLT entries are none where the kernel or the module has no PLT; erratum 843419 is not counted in, as it depends on the CPU.
 * @throws as `referencesOf`
 */
export function summarizeModule(file: ModuleFile): ModuleSummary {
  const counts = new Map<string, number>();
  for (const { type, row } of referencesOf(file)) {
    const known = relocationName(type);
    const name = row || known.startsWith('R_') ? known : `R_AARCH64_${type}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const reserved = reservedEntries(file);
  return {
    codeModel: codeModelOf(file),
    relocations: new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    plt: { core: { reserved: reserved.core }, init: { reserved: reserved.init } },
  };
}

function reservedEntries(file: ModuleFile): { readonly core: number; readonly init: number } {
  try {
    return frobSections(file, builtForEnvironment(file, builtForVersion(file) ?? ERAS.at(-1)!.since)).reserved;
  } catch (error) {
    if (error instanceof PltError && hasNoPlt(error)) return { core: 0, init: 0 };
    throw error;
  }
}

const hasNoPlt = ({ code }: KaslrkitError): boolean => code === 'MISSING_SECTION' || code === 'UNKNOWN_VERSION';
