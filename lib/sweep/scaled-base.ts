/**
 * The bases `(start + (range * r >> 21)) & PAGE_MASK` for all r in [0, 2^21), as the eras up to 6.4 draw them, in exact doubles.
 * @see Linux 6.1 arch/arm64/kernel/kaslr.c, kaslr_init(); lib/kaslr/module-region.ts, baseAt() is one of them
 */
import { alignDown } from '../bits.js';
import type { BaseRule } from '../kaslr/module-region.js';

/** Values of r. */
export const DRAWS = 2 ** 21;

/** `range * r >> 21`: the product of a range of 47 bits and r would be rounded. */
export function scaledOffset(range: number, random: number): number {
  const whole = Math.floor(range / DRAWS);
  return whole * random + Math.floor(((range - whole * DRAWS) * random) / DRAWS);
}

export function baseOf(rule: BaseRule, random: number, pageSize: number): number {
  return alignDown(rule.start + scaledOffset(rule.range, random), pageSize);
}

/** How many r put the base below `address`. */
export function basesBelow({ start, range }: BaseRule, address: number, pageSize: number): number {
  // A base is rounded down: it lies below if what is rounded lies below the next page.
  const limit = Math.ceil(address / pageSize) * pageSize - start;
  if (limit <= 0) return 0;
  if (range < limit) return DRAWS;
  let count = Math.min(Math.floor((limit / range) * DRAWS), DRAWS);
  while (count < DRAWS && scaledOffset(range, count) < limit) count++;
  while (count > 0 && scaledOffset(range, count - 1) >= limit) count--;
  return count;
}
