/**
 * What differs between kernels in how they load modules, as data (KERNEL: kernel/module.c, from 5.19 kernel/module/main.c).
 */
import type { KernelVersion } from '../kaslr/era.js';
import { type PltFormat, pltFormatOf } from '../plt/format.js';

/** A block of memory that is allocated at once. */
export type RegionName =
  | 'core'
  | 'init'
  | 'text'
  | 'data'
  | 'rodata'
  | 'ro_after_init'
  | 'init_text'
  | 'init_data'
  | 'init_rodata';

/** Which region takes the sections of each of the five layout passes. */
export interface RegionScheme {
  /** In the order of their allocation. */
  readonly regions: readonly RegionName[];
  readonly core: readonly (RegionName | undefined)[];
  readonly init: readonly (RegionName | undefined)[];
  /** Where kallsyms is appended: the symbols kept, and those that init memory takes with it. */
  readonly keptSymbols: RegionName;
  readonly initSymbols: RegionName;
  /** Passes after which a region is aligned to a page, so that permissions can differ. */
  readonly corePageAligned: readonly number[];
  readonly initPageAligned: readonly number[];
}

const TWO_REGIONS: RegionScheme = {
  regions: ['core', 'init'],
  core: ['core', 'core', 'core', 'core', 'core'],
  init: ['init', 'init', 'init', 'init', 'init'],
  keptSymbols: 'core',
  initSymbols: 'init',
  corePageAligned: [0, 1, 2, 4],
  initPageAligned: [0, 1, 4],
};

const SEVEN_REGIONS: RegionScheme = {
  regions: ['text', 'data', 'rodata', 'ro_after_init', 'init_text', 'init_data', 'init_rodata'],
  core: ['text', 'rodata', 'ro_after_init', 'data', 'data'],
  // Nothing is read-only after init in memory that init takes with it: the kernel warns and leaves such a section out.
  init: ['init_text', 'init_rodata', undefined, 'init_data', 'init_data'],
  keptSymbols: 'data',
  initSymbols: 'init_data',
  corePageAligned: [],
  initPageAligned: [],
};

export interface LoaderRule {
  readonly scheme: RegionScheme;
  readonly plt: PltFormat;
  /** Bytes of an exception table entry: two PREL32, and from 5.16 a type and data. */
  readonly extableEntrySize: 8 | 12;
  /** Bytes of an entry of `__ksymtab`, and whether its fields are PREL32 (from 4.19) or pointers. */
  readonly ksymtab: { readonly entrySize: number; readonly isRelative: boolean };
}

const isAtLeast = (version: KernelVersion, major: number, minor: number): boolean =>
  version.major > major || (version.major === major && version.minor >= minor);

/** @throws PltError UNKNOWN_VERSION before 4.6 */
export function loaderRuleOf(version: KernelVersion): LoaderRule {
  return {
    scheme: isAtLeast(version, 6, 4) ? SEVEN_REGIONS : TWO_REGIONS,
    plt: pltFormatOf(version),
    extableEntrySize: isAtLeast(version, 5, 16) ? 12 : 8,
    ksymtab: isAtLeast(version, 5, 4)
      ? { entrySize: 12, isRelative: true }
      : isAtLeast(version, 4, 19)
        ? { entrySize: 8, isRelative: true }
        : { entrySize: 16, isRelative: false },
  };
}

export function isInitRegion(region: RegionName): boolean {
  return region.startsWith('init');
}

/** The kernel a module is loaded into, as far as layout and relocation depend on it. */
export interface LoaderEnvironment {
  readonly rule: LoaderRule;
  readonly pageSize: number;
  /** Which symbols of modules the kernel keeps: CONFIG_KALLSYMS off, on, or with KALLSYMS_ALL. */
  readonly kallsyms: 'none' | 'functions' | 'all';
  /** CONFIG_MODULE_UNLOAD; without it exit sections go with init. */
  readonly moduleUnload: boolean;
  /** A Cortex-A53 with erratum 843419, and a kernel that works around it. */
  readonly erratum843419: boolean;
}
