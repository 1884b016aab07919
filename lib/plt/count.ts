/**
 * How many PLT entries the kernel reserves for the relocations of one executable section.
 *
 * Counted before anything has an address: an upper bound of what `PltSection` can need.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, count_plts(), module_frob_arch_sections()
 */

import { SHN_UNDEF } from '../elf/constant.js';
import type { RelaTable } from '../elf/rela-table.js';
import { R_AARCH64_ADR_PREL_PG_HI21, R_AARCH64_ADR_PREL_PG_HI21_NC } from '../reloc/table.js';
import { ADRP_PAGE } from './entry.js';
import { safeAlignment } from './erratum.js';
import type { PltFormat } from './format.js';
import { type BranchContext, compareRecords, hasAddend, isBranch, symbolSection } from './order.js';

export interface PltNeed {
  /** Entries to reserve. */
  readonly entries: number;
  /** The least sh_addralign that the relocated section must have; 1 if it may stay as it is. */
  readonly alignment: number;
}

export function isAdrpRelocation(type: number): boolean {
  return type === R_AARCH64_ADR_PREL_PG_HI21 || type === R_AARCH64_ADR_PREL_PG_HI21_NC;
}

/**
 * Counts the entries for records that `orderForPlt` has put in order.
 * @param erratum843419 whether the CPU has the erratum and the kernel works around it
 * @throws RelocationError BAD_SYMBOL if a branch names no symbol of the table
 */
export function countPltEntries(relas: RelaTable, context: BranchContext, erratum843419: boolean): PltNeed {
  const { format } = context;
  const workAround = erratum843419 && format.veneers;
  let entries = 0;
  let alignment = 1;
  for (let index = 0; index < relas.count; index++) {
    const type = relas.type(index);
    if (isBranch(type)) {
      if (isCounted(relas, index, context)) entries++;
    } else if (workAround && isAdrpRelocation(type)) {
      const safe = safeAlignment(relas.offset(index));
      if (safe === undefined) entries++;
      else alignment = Math.max(alignment, safe);
    }
  }
  if (workAround && format.slack) entries += Math.ceil(entries / Math.floor(ADRP_PAGE / format.entry.size));
  return { entries, alignment };
}

/** Branches with an addend always get an entry; others only where the record before has another symbol or type. */
function isCounted(relas: RelaTable, index: number, { format, symbols, target }: BranchContext): boolean {
  const section = symbolSection(relas, index, symbols);
  if (format.counted === 'undefined' ? section !== SHN_UNDEF : section === target) return false;
  return hasAddend(relas, index) || index === 0 || compareRecords(relas, index, index - 1) !== 0;
}

/** sh_size of a PLT section with that many entries reserved. */
export function pltSectionSize(format: PltFormat, reserved: number): number {
  return (reserved + format.spareEntries) * format.entry.size;
}
