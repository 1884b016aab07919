/**
 * What modules' PLTs looked like from kernel to kernel, as data: one row per version that changed something.
 *
 * Rows up to 5.5 were read in vendor trees of that age and never compared with a booted kernel.
 * @see Linux arch/arm64/kernel/module-plts.c (module.c for which ADRP is refused, asm/ftrace.h for `ftraceEntries`)
 */
import { PltError } from '../errors.js';
import type { KernelVersion } from '../kaslr/era.js';
import { ADRP_ENTRY, type EntryKind, MOVN_ENTRY } from './entry.js';

export interface PltFormat {
  readonly since: KernelVersion;
  readonly entry: EntryKind;
  /** sh_addralign of .plt and .init.plt: L1_CACHE_BYTES. */
  readonly alignment: number;
  /** Whether calls from init sections have a PLT of their own, .init.plt. */
  readonly initSection: boolean;
  /** Entries allocated beyond those counted, for a duplicate that is written before it is recognised. */
  readonly spareEntries: 0 | 1;
  /** Which branches are counted: to undefined symbols, or to any symbol outside the section that is relocated. */
  readonly counted: 'undefined' | 'other-section';
  /** Which records are sorted before they are counted and applied. */
  readonly sorted: 'all' | 'branches';
  /** Which entry serves a second branch: the one its symbol got, or the previous one if it leads to the same address. */
  readonly reuse: 'symbol' | 'previous';
  /** Whether an ADRP that erratum 843419 forbids gets a veneer; before, kernels built with the workaround refused every ADRP. */
  readonly veneers: boolean;
  /** Whether entries are counted for slots that the erratum forbids. */
  readonly slack: boolean;
  /** Entries of .text.ftrace_trampoline, where a module has that section. */
  readonly ftraceEntries: number;
}

const since46: PltFormat = {
  since: { major: 4, minor: 6 },
  entry: MOVN_ENTRY,
  alignment: 128,
  initSection: false,
  spareEntries: 0,
  counted: 'undefined',
  sorted: 'all',
  reuse: 'symbol',
  veneers: false,
  slack: false,
  ftraceEntries: 1,
};
const since412: PltFormat = {
  ...since46,
  since: { major: 4, minor: 12 },
  initSection: true,
  spareEntries: 1,
  counted: 'other-section',
  reuse: 'previous',
};
const since417: PltFormat = { ...since412, since: { major: 4, minor: 17 }, alignment: 64, veneers: true };
const since50: PltFormat = { ...since417, since: { major: 5, minor: 0 }, entry: ADRP_ENTRY, slack: true };
/** DYNAMIC_FTRACE_WITH_REGS: a second entry, for ftrace_regs_caller. */
const since55: PltFormat = { ...since50, since: { major: 5, minor: 5 }, ftraceEntries: 2 };
const since59: PltFormat = { ...since55, since: { major: 5, minor: 9 }, sorted: 'branches' };
const since62: PltFormat = { ...since59, since: { major: 6, minor: 2 }, ftraceEntries: 1 };

/** All formats, oldest first. */
export const PLT_FORMATS: readonly PltFormat[] = [since46, since412, since417, since50, since55, since59, since62];

/**
 * The format of a kernel version; versions after the newest row follow it.
 * @throws PltError UNKNOWN_VERSION before 4.6, whose modules had no PLT
 */
export function pltFormatOf({ major, minor }: KernelVersion): PltFormat {
  const format = PLT_FORMATS.findLast(
    ({ since }) => since.major < major || (since.major === major && since.minor <= minor),
  );
  if (!format)
    throw new PltError('UNKNOWN_VERSION', `modules of Linux ${major}.${minor} have no PLT`, { major, minor });
  return format;
}
