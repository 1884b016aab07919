/**
 * Judges one reference: whether it can go out of range, and by which rule.
 *
 * Relative references inside a section have a fixed distance and are computed. Everything else is judged by how far its type reaches,
 * against what is known of distances: sections of a module lie within 2 GiB of each other, the kernel wherever the era puts it.
 */
import { SHF_EXECINSTR } from '../elf/constant.js';
import { isAdrpRelocation } from '../plt/count.js';
import { needsGot } from '../reloc/name.js';
import type { RelocationRow } from '../reloc/table.js';
import { isPcRelative, isToPool } from './code-model.js';
import { fits, isTooNarrow, PAGE_REACH, PREL32_REACH, reachOf } from './limit.js';
import type { LiteralPools } from './literal-pool.js';
import type { Reference } from './reference.js';
import type { RuleName } from './rule.js';

export type Severity = 'error' | 'note';

export interface Verdict {
  readonly rule: RuleName;
  readonly severity: Severity;
}

export interface JudgeContext {
  /** Whether the promises of the large code model are checked: nothing but absolute references leaves the module. */
  readonly isLarge: boolean;
  /** False for kernels that refuse every ADRP relocation. */
  readonly allowAdrp: boolean;
  readonly pools: LiteralPools;
}

const error = (rule: RuleName): Verdict => ({ rule, severity: 'error' });
const note = (rule: RuleName): Verdict => ({ rule, severity: 'note' });

/** Whether the target does not move with the module. */
export function leavesModule({ target }: Reference): boolean {
  return target === 'external' || target === 'absolute';
}

/** Undefined: it is always right and needs no word. */
export function judge(reference: Reference, context: JudgeContext): Verdict | undefined {
  const { row, type } = reference;
  if (needsGot(type)) return error('got');
  if (!row) return error('unsupportedType');
  if (row.op === 'none') return undefined;
  if (row.op === 'S+A') return judgeAbsolute(row, reference);
  if (isAdrpRelocation(type) && !context.allowAdrp) return error(adrpRule(reference, context));
  if (reference.target === 'same-section') return judgeInSection(row, reference, context);
  if (row.pltable) return reference.section.sh_flags & SHF_EXECINSTR ? undefined : error('branchWithoutPlt');
  return leavesModule(reference) ? judgeExternal(row, reference, context) : judgeLocal(row, reference, context);
}

function judgeAbsolute(row: RelocationRow, { target, value }: Reference): Verdict | undefined {
  if (target === 'absolute') return fits(row, BigInt.asIntN(64, value)) ? undefined : error('outOfRange');
  return isTooNarrow(row) ? error('narrowAbsolute') : undefined;
}

function adrpRule(reference: Reference, { pools }: JudgeContext): RuleName {
  if (leavesModule(reference)) return 'externalPage';
  return isToPool(reference, pools) ? 'literalPool' : 'localReference';
}

function judgeInSection(row: RelocationRow, reference: Reference, context: JudgeContext): Verdict | undefined {
  // Pages are at most one page further apart than places: only sections of 4 GiB could tell.
  if (!fits(row, reference.value - BigInt(reference.offset))) return error('outOfRange');
  if (!context.isLarge || !isPcRelative(reference)) return undefined;
  return note(isToPool(reference, context.pools) ? 'literalPool' : 'localReference');
}

function judgeExternal(
  row: RelocationRow,
  { target, isWeak }: Reference,
  { isLarge }: JudgeContext,
): Verdict | undefined {
  const reach = reachOf(row);
  if (reach === Number.POSITIVE_INFINITY) return undefined;
  if (reach < PREL32_REACH) return error('externalShort');
  // An absolute symbol stays where it is, however near the kernel comes to the module.
  if (isLarge || target === 'absolute') return error(reach === PAGE_REACH ? 'externalPage' : 'externalPrel32');
  return isWeak ? note('weakTarget') : undefined;
}

function judgeLocal(row: RelocationRow, reference: Reference, { isLarge }: JudgeContext): Verdict | undefined {
  if (reachOf(row) < PREL32_REACH) return error('shortReach');
  return isLarge && isPcRelative(reference) ? note('localReference') : undefined;
}
