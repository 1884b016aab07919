/**
 * How far a relocation type reaches, and whether it holds a kernel address at all; derived from the table of types.
 */
import { isAdrpRelocation } from '../plt/count.js';
import type { RelocationRow } from '../reloc/table.js';

export const R_AARCH64_ABS64 = 257;

/** ADRP: 21 bits of 4 KiB pages, whether the kernel checks it or, as for the `_NC` type, not. */
export const PAGE_REACH = 2 ** 32;
export const PREL32_REACH = 2 ** 31;

/** Modules and kernel lie above this, VMIN being 48 bits at most: what reaches as far reaches everything. */
const LOWEST_ADDRESS = -(2 ** 47);

/**
 * Bytes that a place-relative reference reaches either way; infinite for an absolute one, for 64 bits, for the parts of a
 * MOVW group that are not its top, and for a branch, which a PLT entry takes on.
 */
export function reachOf(row: RelocationRow): number {
  if (isAdrpRelocation(row.type)) return PAGE_REACH;
  if (row.op !== 'S+A-P' || row.pltable || !row.range) return Number.POSITIVE_INFINITY;
  return row.range.end > -LOWEST_ADDRESS ? Number.POSITIVE_INFINITY : row.range.end;
}

/** Whether a checked absolute field is too small for any address of the kernel or a module. */
export function isTooNarrow({ op, range }: RelocationRow): boolean {
  return op === 'S+A' && range !== undefined && range.low > LOWEST_ADDRESS;
}

/** Whether a known X can be written. The page operation is judged by the distance itself, which is at most a page off. */
export function fits({ range }: RelocationRow, X: bigint): boolean {
  return !range || (X >= BigInt(range.low) && X < BigInt(range.end));
}
