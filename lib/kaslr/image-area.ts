/**
 * What the image takes of vmalloc, so that no module goes there. The module region may begin below the image and reach past it.
 *
 * The segments are declared as areas without a guard page, but for the last. While memory below the text was not mapped, it was
 * free to be given to modules: one of 6.1 has been seen there, between `_text` and `_stext`.
 * @see Linux 4.14, 5.10, 6.1: arch/arm64/mm/mmu.c, map_kernel(); 6.12: declare_kernel_vmas()
 */
import { type Va, va } from '../address.js';
import { alignUp } from '../bits.js';
import { type Change, HEAD_MAPPED_AGAIN, HEAD_UNMAPPED, hasChange } from '../release.js';

interface AreaRule extends Change {
  readonly start: 'text' | 'stext';
  readonly guardPages: 0 | 1;
}

/** Newest first. */
const RULES: readonly AreaRule[] = [
  { ...HEAD_MAPPED_AGAIN, start: 'text', guardPages: 1 },
  { ...HEAD_UNMAPPED, start: 'stext', guardPages: 1 },
  { since: '4.14', start: 'text', guardPages: 1 },
  { since: '4.6', start: 'text', guardPages: 0 },
];

export interface ImageArea {
  readonly start: Va;
  /** Behind the guard page. */
  readonly end: Va;
}

/** @param release of the kernel; one that is not known counts as the first */
export function imageArea(
  release: string,
  { text, stext, end, pageSize }: { text: Va; stext: Va; end: Va; pageSize: number },
): ImageArea {
  const { start, guardPages } = RULES.find((rule) => hasChange(release, rule)) ?? RULES.at(-1)!;
  return { start: { text, stext }[start], end: va(alignUp(end, pageSize) + guardPages * pageSize) };
}
