/**
 * What a report shows: the one document that is written into the page, and that the page's own script reads.
 *
 * Plain JSON. 64-bit values are strings, `0x` and 16 digits; sizes, counts and offsets from `_text` are numbers. What there is
 * of every module stands in columns, and distributions in a few bins, so that thousands of modules stay below 3 MB. Where a module
 * goes in each boot is not stored: the page allocates it with `module/address-space.ts`, as the loader does.
 */

/** A part that this kernel, or this call, gives no data for; says why. */
export interface Missing {
  readonly missing: string;
}

export type Part<T> = T | Missing;

export function isMissing<T extends object>(part: Part<T>): part is Missing {
  return 'missing' in part;
}

export interface ReportData {
  /** `kaslrkit 0.1.0` */
  readonly generator: string;
  readonly kernel: KernelFacts;
  /** Where the first boot comes from. */
  readonly chosen: 'seed' | 'text' | 'demonstration';
  /** The placement asked for, then boots drawn from the stream. */
  readonly boots: readonly Boot[];
  readonly stream: string;
  readonly space: readonly SpaceRegion[];
  readonly segments: Part<readonly ImageSegment[]>;
  readonly modules: Part<ModuleColumns>;
  readonly plts: Part<PltColumns>;
  readonly entropy: Part<readonly EntropyRow[]>;
  readonly mapping: Part<readonly StageMapping[]>;
  readonly findings: Part<Findings>;
}

export interface KernelFacts {
  readonly file: string;
  readonly release: string;
  readonly format: string;
  readonly compression: string;
  readonly era: string;
  readonly pageSize: number;
  readonly vaBits: number;
  readonly vaBitsActual: number;
  readonly linkBase: string;
  readonly imageSize: number;
  readonly relocations: { readonly rela: number; readonly relr: number };
  readonly exports: number;
  readonly phys: string;
  /** CONFIG_RANDOMIZE_MODULE_REGION_FULL, and whether a .config said so. */
  readonly fullRegion: boolean;
  readonly hasConfig: boolean;
}

export interface Boot {
  /** Absent where the run address was given instead. */
  readonly seed?: string;
  /** The module region's own random value, where the seed does not fix it. */
  readonly moduleSeed?: string;
  readonly text: string;
  /** What the image takes of vmalloc. */
  readonly area: { readonly start: string; readonly end: string };
  /** Where a region may begin, and which one was drawn, in the order the allocator tries them. */
  readonly windows: readonly { readonly kind: string; readonly lowest: string; readonly end: string }[];
  readonly regions: readonly { readonly kind: string; readonly base: string; readonly end: string }[];
}

/** `[start, end)` of the kernel's half of the address space. */
export interface SpaceRegion {
  readonly name: 'linear map' | 'modules' | 'vmalloc' | 'vmemmap';
  readonly start: string;
  readonly end: string;
}

/** Offsets from `_text`. */
export interface ImageSegment {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Modules in the order in which they are loaded. */
export interface ModuleColumns {
  readonly names: readonly string[];
  /** Blocks of memory that stay after init, in the order of their allocation, and their bytes for each module; 0: none. */
  readonly blocks: readonly { readonly name: string; readonly sizes: readonly number[] }[];
  readonly branches: readonly number[];
  /** PLT entries, core and init together. */
  readonly reserved: readonly number[];
  /** Modules of the folder that the kernel would refuse, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * How often each count of PLT entries occurs: `[first, width, weight, weight, ...]`, bins of `width` counts each from `first` on.
 * Weights are in 1/10000; one that rounds to none is 0.
 */
export type Distribution = readonly number[];

/** PLT entries over every placement, each module taken alone; by module as in `ModuleColumns`. */
export interface PltColumns {
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly mean: readonly number[];
  /** Share of placements in which a module needs no entry at all. */
  readonly none: readonly number[];
  readonly distributions: readonly Distribution[];
  readonly total: {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    readonly none: number;
    readonly distribution: Distribution;
  };
  /** The total at distances of the module region from `_text`, evenly spaced from the lowest to the highest. */
  readonly byDistance: { readonly lowest: number; readonly highest: number; readonly totals: readonly number[] };
  /** All modules in each boot, loaded one after another; by boot as in `boots`. */
  readonly used: Part<BootCounts>;
}

/** By boot: the total, and which of the patterns its modules follow. */
export interface BootCounts {
  readonly totals: readonly number[];
  readonly pattern: readonly number[];
  /** Entries by module; -1: it found no room, or needs one that did not. */
  readonly patterns: readonly (readonly number[])[];
}

export interface EntropyRow {
  readonly known: string;
  readonly unknown: string;
  readonly slots: number;
  readonly bits: number;
}

/** The image's mapping in the first boot, at one stage. */
export interface StageMapping {
  readonly stage: 'early' | 'final';
  readonly segments: readonly MappedSegment[];
  readonly runs: readonly MappedRun[];
  readonly tables: number;
}

export interface MappedSegment extends ImageSegment {
  readonly permissions: string;
}

/** Neighbouring entries of one size and with the same attributes; `offset` from `_text` may be negative: blocks reach further. */
export interface MappedRun {
  readonly offset: number;
  readonly phys: string;
  readonly entrySize: number;
  readonly count: number;
  readonly contiguous: boolean;
  readonly permissions: string;
}

export interface Findings {
  /** Rules that were broken or that are worth a note. */
  readonly rules: readonly {
    readonly id: string;
    readonly kind: string;
    readonly kernels: string;
    readonly remedy: string;
  }[];
  /** How many modules follow each code model. */
  readonly models: Readonly<Record<string, number>>;
  readonly rows: readonly FindingRow[];
}

/** Findings of one module, rule and section that differ only in place and symbol, told by the first of them. */
export interface FindingRow {
  readonly module: string;
  readonly severity: 'error' | 'note';
  /** Index of `rules`. */
  readonly rule: number;
  readonly section: string;
  readonly offset: number;
  readonly message: string;
  readonly count: number;
}
