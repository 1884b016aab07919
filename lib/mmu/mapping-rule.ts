/**
 * How each generation of arm64 Linux maps its own image: segments, granularity and attribute bits, as data.
 *
 * A row holds from the version it names until the next. The rules for the image changed at other versions than those
 * for its placement, so rows are found by version; an era's key is one too. "early" is the mapping at
 * __primary_switched, "final" the one after boot, with rodata read-only and init memory freed.
 *
 * @see Linux 5.10, 6.1, 6.12, 7.3: arch/arm64/mm/mmu.c map_kernel(), kernel/head.S, kernel/pi/map_kernel.c,
 *   include/asm/pgtable-prot.h; versions in between from the kernel's history, not measured
 */
import { MappingError } from '../errors.js';
import type { BoundarySymbol } from './boundary.js';
import { DESCRIPTOR } from './descriptor.js';
import type { Mapper } from './mapper.js';

export type Stage = 'early' | 'final';

export type Permissions = 'RW X' | 'RO X' | 'RW NX' | 'RO NX' | 'unmapped';

export interface SegmentRow {
  readonly name: string;
  readonly start: BoundarySymbol;
  readonly end: BoundarySymbol;
  readonly permissions: Permissions;
  /** May the contiguous bit be used? */
  readonly contiguous: boolean;
  /** Permissions until the end of boot, where they differ: mark_rodata_ro() and free_initmem() change them in place. */
  readonly boot?: Permissions;
}

export interface StageRule {
  readonly mapper: Mapper;
  readonly segments: readonly SegmentRow[];
  /** Hierarchical bits of the table descriptors. */
  readonly tableAttributes: bigint;
}

export interface MappingRule {
  /** The first version, `major.minor`. */
  readonly since: string;
  readonly early: StageRule;
  readonly final: StageRule;
  /** Names of MAIR_EL1's indexes as ptdump prints them; the first MEM/NORMAL is what the image is mapped with. */
  readonly memoryTypes: readonly (string | undefined)[];
  /** Is PTE_DIRTY, a software bit, part of PAGE_KERNEL? Measured: in 6.1.192, 6.12.107, 7.3.4, not in 5.10.223, 6.17.13. */
  readonly dirty: boolean;
}

const RW = 'RW NX';
const RO = 'RO NX';
const ROX = 'RO X';

const SWAPPER: StageRule = {
  mapper: 'swapper',
  segments: [{ name: 'image', start: '_text', end: '_end', permissions: 'RW X', contiguous: false }],
  tableAttributes: 0n,
};

const BELOW_TEXT = { name: 'head', start: '_text', end: '_stext', contiguous: false } as const;
const TEXT = { name: 'text', start: '_stext', end: '_etext', permissions: ROX, contiguous: true } as const;
const RODATA = { name: 'rodata', start: '__start_rodata', end: '__inittext_begin', contiguous: false } as const;
const INIT_TEXT = { name: 'init text', start: '__inittext_begin', end: '__inittext_end' } as const;
const INIT_DATA = { name: 'init data', start: '__initdata_begin', end: '__initdata_end' } as const;
const DATA = { name: 'data', start: '_data', end: '_end', permissions: RW, contiguous: true } as const;
const FREED = 'unmapped';

/** mm/mmu.c: everything but rodata may be contiguous, since only rodata changes its permissions later. */
const MMU_SEGMENTS: readonly SegmentRow[] = [
  { ...RODATA, permissions: RO, boot: RW },
  { ...INIT_TEXT, permissions: FREED, contiguous: true, boot: ROX },
  { ...INIT_DATA, permissions: FREED, contiguous: true, boot: RW },
  DATA,
];

const MMU: StageRule = {
  mapper: 'mmu',
  segments: [{ ...BELOW_TEXT, permissions: 'unmapped' }, TEXT, ...MMU_SEGMENTS],
  tableAttributes: 0n,
};

const MAP_RANGE_EARLY: StageRule = {
  mapper: 'map-range',
  segments: [
    { ...BELOW_TEXT, permissions: RW },
    TEXT,
    { ...RODATA, permissions: RW },
    { ...INIT_TEXT, permissions: ROX, contiguous: false },
    { ...INIT_DATA, permissions: RW, contiguous: false },
    DATA,
  ],
  tableAttributes: DESCRIPTOR.UXN_TABLE,
};

/** The same tables after boot. */
const MAP_RANGE_FINAL: StageRule = {
  ...MAP_RANGE_EARLY,
  segments: [
    { ...BELOW_TEXT, permissions: RO, boot: RW },
    TEXT,
    { ...RODATA, permissions: RO, boot: RW },
    { ...INIT_TEXT, permissions: FREED, contiguous: false, boot: ROX },
    { ...INIT_DATA, permissions: FREED, contiguous: false, boot: RW },
    DATA,
  ],
};

const NORMAL = 'MEM/NORMAL';
const TAGGED = 'MEM/NORMAL-TAGGED';
const NON_CACHED = 'MEM/NORMAL-NC';
const STRICT = 'DEVICE/nGnRnE';
const DEVICE = 'DEVICE/nGnRE';
const GATHERING = 'DEVICE/GRE';

const V5_4: MappingRule = {
  since: '5.4',
  early: SWAPPER,
  final: { ...MMU, segments: [{ ...TEXT, start: '_text' }, ...MMU_SEGMENTS] },
  memoryTypes: [STRICT, DEVICE, GATHERING, NON_CACHED, NORMAL],
  dirty: false,
};
// ptdump has no name for index 3 of 5.10, MT_NORMAL_WT.
const V5_10: MappingRule = {
  ...V5_4,
  since: '5.10',
  memoryTypes: [NORMAL, TAGGED, NON_CACHED, undefined, STRICT, DEVICE, GATHERING],
};
const V5_11: MappingRule = { ...V5_10, since: '5.11', final: MMU };
const V5_13: MappingRule = { ...V5_11, since: '5.13', final: { ...MMU, tableAttributes: DESCRIPTOR.UXN_TABLE } };
const V6_0: MappingRule = {
  ...V5_13,
  since: '6.0',
  memoryTypes: [NORMAL, TAGGED, NON_CACHED, STRICT, DEVICE],
  dirty: true,
};
const V6_9: MappingRule = { ...V6_0, since: '6.9', early: MAP_RANGE_EARLY, final: MAP_RANGE_FINAL };
// The branches between two long-term ones ended before the fix that made kernel pages dirty reached them.
const V6_13: MappingRule = { ...V6_9, since: '6.13', dirty: false };
const V6_18: MappingRule = { ...V6_9, since: '6.18' };

/** Newest first. */
const RULES: readonly MappingRule[] = [V6_18, V6_13, V6_9, V6_0, V5_13, V5_11, V5_10, V5_4];

/**
 * The rule of a kernel version.
 * @param version `6.12.107+deb13-arm64`, or an era's key
 * @throws MappingError UNKNOWN_ERA if it starts with no version or with one before 5.4
 */
export function mappingRule(version: string): MappingRule {
  const rank = (text: string): number => {
    const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
    return Number(major) * 1000 + Number(minor);
  };
  const rule = RULES.find(({ since }) => rank(version) >= rank(since));
  if (rule === undefined) {
    throw new MappingError('UNKNOWN_ERA', `how kernel ${version} maps its image is not known (5.4 and later are)`, {
      version,
    });
  }
  return rule;
}
