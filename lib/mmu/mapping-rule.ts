/**
 * How each generation of arm64 Linux maps its own image: segments, granularity and attribute bits, as data.
 *
 * A row holds from the version it names until the next. The rules for the image changed at other versions than those
 * for its placement, and one of them within stable branches, so rows are found by version. "early" is the mapping at
 * __primary_switched, "final" the one after boot, with rodata read-only and init memory freed.
 *
 * @see Linux 5.10, 6.1, 6.12, 7.3: arch/arm64/mm/mmu.c map_kernel(), kernel/head.S, kernel/pi/map_kernel.c,
 *   include/asm/pgtable-prot.h; versions in between from the kernel's history, not measured
 */
import { MappingError } from '../errors.js';
import { type Change, eraRelease, HEAD_MAPPED_AGAIN, HEAD_UNMAPPED, hasChange } from '../release.js';
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

export interface MappingRule extends Change {
  readonly early: StageRule;
  readonly final: StageRule;
  /** Names of MAIR_EL1's indexes as ptdump prints them; the first MEM/NORMAL is what the image is mapped with. */
  readonly memoryTypes: readonly (string | undefined)[];
  /** Where the linear alias starts that becomes read-only; it ends at __init_begin. */
  readonly linearAliasStart: BoundarySymbol;
  /** Is PTE_DIRTY, a software bit, part of PAGE_KERNEL? */
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
const UNMAPPED_BELOW_TEXT: SegmentRow = { ...BELOW_TEXT, permissions: 'unmapped' };

/** mm/mmu.c: everything but rodata may be contiguous, since only rodata changes its permissions later. */
const MMU_SEGMENTS: readonly SegmentRow[] = [
  { ...RODATA, permissions: RO, boot: RW },
  { ...INIT_TEXT, permissions: FREED, contiguous: true, boot: ROX },
  { ...INIT_DATA, permissions: FREED, contiguous: true, boot: RW },
  DATA,
];

const MMU: StageRule = {
  mapper: 'mmu',
  segments: [UNMAPPED_BELOW_TEXT, TEXT, ...MMU_SEGMENTS],
  tableAttributes: 0n,
};

const MAP_RANGE = { mapper: 'map-range', tableAttributes: DESCRIPTOR.UXN_TABLE } as const;

const MAP_RANGE_EARLY: readonly SegmentRow[] = [
  TEXT,
  { ...RODATA, permissions: RW },
  { ...INIT_TEXT, permissions: ROX, contiguous: false },
  { ...INIT_DATA, permissions: RW, contiguous: false },
  DATA,
];

/** The same tables after boot. */
const MAP_RANGE_FINAL: readonly SegmentRow[] = [
  TEXT,
  { ...RODATA, permissions: RO, boot: RW },
  { ...INIT_TEXT, permissions: FREED, contiguous: false, boot: ROX },
  { ...INIT_DATA, permissions: FREED, contiguous: false, boot: RW },
  DATA,
];

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
  linearAliasStart: '_text',
  dirty: false,
};
// ptdump has no name for index 3 of 5.10, MT_NORMAL_WT.
const V5_10: MappingRule = {
  ...V5_4,
  since: '5.10',
  memoryTypes: [NORMAL, TAGGED, NON_CACHED, undefined, STRICT, DEVICE, GATHERING],
};
const V5_11: MappingRule = { ...V5_10, ...HEAD_UNMAPPED, final: MMU, linearAliasStart: '_stext' };
const V5_13: MappingRule = { ...V5_11, since: '5.13', final: { ...MMU, tableAttributes: DESCRIPTOR.UXN_TABLE } };
const V6_0: MappingRule = { ...V5_13, since: '6.0', memoryTypes: [NORMAL, TAGGED, NON_CACHED, STRICT, DEVICE] };
const V6_9: MappingRule = {
  ...V6_0,
  since: '6.9',
  early: { ...MAP_RANGE, segments: [UNMAPPED_BELOW_TEXT, ...MAP_RANGE_EARLY] },
  final: { ...MAP_RANGE, segments: [UNMAPPED_BELOW_TEXT, ...MAP_RANGE_FINAL] },
};
/** Memory below the text mapped again, so that nothing else is allocated there. */
const V6_18: MappingRule = {
  ...V6_9,
  ...HEAD_MAPPED_AGAIN,
  early: { ...MAP_RANGE, segments: [{ ...BELOW_TEXT, permissions: RW }, ...MAP_RANGE_EARLY] },
  final: { ...MAP_RANGE, segments: [{ ...BELOW_TEXT, permissions: RO, boot: RW }, ...MAP_RANGE_FINAL] },
  linearAliasStart: '_text',
};

/** Newest first. */
const RULES: readonly MappingRule[] = [V6_18, V6_9, V6_0, V5_13, V5_11, V5_10, V5_4];

/** PTE_DIRTY in PAGE_KERNEL; the releases of the branches 5.10, 5.15, 6.6 and 6.18 that took it over are not known here. */
const DIRTY: Change = { since: '7.0', backports: ['6.1.167', '6.12.78'] };

/**
 * The rule of a kernel version.
 * @param release `6.12.107+deb13-arm64`; or an era's key, which stands for the long-term kernel of that era
 * @throws MappingError UNKNOWN_ERA if it starts with no version or with one before 5.4
 */
export function mappingRule(release: string): MappingRule {
  const meant = eraRelease(release);
  const rule = RULES.find((candidate) => hasChange(meant, candidate));
  if (rule === undefined) {
    throw new MappingError('UNKNOWN_ERA', `how kernel ${release} maps its image is not known (5.4 and later are)`, {
      release,
    });
  }
  return { ...rule, dirty: hasChange(meant, DIRTY) };
}
