/**
 * The segments of one kernel's image at run addresses, and the attribute bits a segment's permissions stand for.
 *
 * @see Linux 6.12 arch/arm64/include/asm/pgtable-prot.h, _PAGE_KERNEL and its kin
 */
import type { Va } from '../address.js';
import { MappingError } from '../errors.js';
import type { Boundaries, BoundarySymbol } from './boundary.js';
import { attributeIndex, DESCRIPTOR } from './descriptor.js';
import type { Mapper } from './mapper.js';
import type { MappingRule, Permissions, SegmentRow, Stage } from './mapping-rule.js';
import type { DescriptorFormat } from './translation-regime.js';

export interface Segment {
  readonly name: string;
  readonly start: Va;
  readonly end: Va;
  readonly permissions: Permissions;
  /** May the contiguous bit be used? */
  readonly contiguous: boolean;
  /** How it was mapped until the end of boot, where that differs: rodata was writable, init memory mapped. */
  readonly boot?: { readonly permissions: Permissions; readonly contiguous: boolean };
}

/** What CPU and command line decide about the kernel's leaves. */
export interface ProcessorFeatures {
  /** Kernel page-table isolation: entries are not global (a KASLR kernel on a CPU without FEAT_E0PD). */
  readonly nonGlobal?: boolean;
  /** FEAT_BTI, and a kernel built with ARM64_BTI_KERNEL: executable pages are guarded. */
  readonly guarded?: boolean;
}

/**
 * The segments of a stage, in address order; empty ones are left out.
 * @throws MappingError MISSING_SYMBOL naming a boundary that is neither known nor inferred; BAD_RANGE
 */
export function kernelSegments(rule: MappingRule, stage: Stage, boundaries: Boundaries): Segment[] {
  const address = (symbol: BoundarySymbol, row: SegmentRow): Va => {
    const found = boundaries[symbol];
    if (found !== undefined) return found;
    throw new MappingError(
      'MISSING_SYMBOL',
      `${symbol}, a boundary of ${row.name}, is no symbol and cannot be inferred`,
      {
        symbol,
        segment: row.name,
      },
    );
  };
  return rule[stage].segments
    .map((row): Segment => {
      const { name, permissions, boot } = row;
      const contiguous = row.contiguous && permissions !== 'unmapped';
      const segment = { name, start: address(row.start, row), end: address(row.end, row), permissions, contiguous };
      return boot === undefined ? segment : { ...segment, boot: { permissions: boot, contiguous: row.contiguous } };
    })
    .filter((segment) => segment.start !== segment.end);
}

/**
 * Attribute bits of a leaf descriptor, without address, type and contiguous bit.
 * @param permissions of a mapped segment
 */
export function leafAttributes(
  permissions: Exclude<Permissions, 'unmapped'>,
  context: { rule: MappingRule; mapper: Mapper; format: DescriptorFormat; features: ProcessorFeatures },
): bigint {
  const { rule, mapper, format, features } = context;
  const shared = format === 'lpa2' ? 0n : DESCRIPTOR.SHARED;
  const base = attributeIndex(rule.memoryTypes.indexOf('MEM/NORMAL')) | DESCRIPTOR.AF | shared;
  // head.S knows one kind of mapping: everything is allowed at EL1, nothing is tracked.
  if (mapper === 'swapper') return base;
  const executable = !permissions.endsWith('NX');
  return (
    base |
    DESCRIPTOR.UXN |
    (permissions.startsWith('RW') ? DESCRIPTOR.DBM : DESCRIPTOR.RDONLY) |
    (executable ? 0n : DESCRIPTOR.PXN) |
    (rule.dirty ? DESCRIPTOR.DIRTY : 0n) |
    (features.nonGlobal ? DESCRIPTOR.NG : 0n) |
    (features.guarded && executable ? DESCRIPTOR.GP : 0n)
  );
}
