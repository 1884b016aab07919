/** A module in memory, as the kernel has it when module_finalize() is entered: relocated, alternatives not yet patched. */
import type { Va } from '../address.js';
import type { RegionName } from './loader-rule.js';

export interface LoadedSection {
  readonly index: number;
  readonly name: string;
  readonly address: Va;
  readonly bytes: Uint8Array;
  readonly sh_flags: number;
  readonly sh_addralign: number;
}

export interface PltUsage {
  readonly used: number;
  readonly reserved: number;
}

export interface LoadedModule {
  readonly name: string;
  /** SHF_ALLOC sections that are loaded, empty ones included, in header order. */
  readonly sections: readonly LoadedSection[];
  readonly plt: { readonly core: PltUsage; readonly init: PltUsage };
  /** CALL26 and JUMP26 relocations applied, and ADRPs that erratum 843419 led through a veneer. */
  readonly branches: number;
  readonly veneers: number;
  /** What EXPORT_SYMBOL makes visible to modules loaded later. */
  readonly exports: ReadonlyMap<string, Va>;
  /** Run address of each symbol, by index; undefined for those of sections that are not loaded. */
  readonly symbols: readonly (Va | undefined)[];
}

/** Where a module's regions are; a region left out is not loaded, as a live system's freed init memory. */
export interface ModuleAddresses {
  readonly memory: ReadonlyMap<RegionName, Va>;
  /** Address of the per-CPU allocation, if the module has per-CPU data. */
  readonly percpu?: Va | undefined;
}
