/**
 * One relocation of a module as the kernel applies it: through a PLT entry where a branch does not reach, and around
 * erratum 843419 where an ADRP must not stand.
 * @see Linux 6.12 arch/arm64/kernel/module.c, apply_relocate_add(), reloc_insn_adrp()
 */

import { IMM_ADR, replaceField } from '../a64/field.js';
import { branch } from '../a64/instruction.js';
import { type Va, vaFromBigInt } from '../address.js';
import type { RelaTable } from '../elf/rela-table.js';
import {
  BAD_PLACE,
  OK,
  OUT_OF_RANGE,
  type RelocatableSection,
  type RelocationStatus,
  UNKNOWN_TYPE,
} from '../reloc/apply.js';
import { isAdrpRelocation } from './count.js';
import { BREAK_FAULT } from './entry.js';
import { isForbiddenForAdrp } from './erratum.js';
import { hasAddend, isBranch } from './order.js';
import type { PltSection } from './section.js';

const PAGE_MASK = ~0xfffn;
const ADR_REACH = 1n << 20n;
/** The bit that makes an ADR an ADRP. */
const ADRP_BIT = 0x80000000;

/**
 * Applies record `index` of `relas` to `section`, its symbol resolved to `S`.
 * @param plt the PLT of the region that `section` lies in, core or init; records must come in the order of `orderForPlt`
 * @returns as RelocatableSection.apply(); OUT_OF_RANGE of a branch means that the PLT itself is too far away
 * @throws PltError EXHAUSTED or UNREACHABLE as PltSection.emit()
 */
export function relocateThroughPlt(
  section: RelocatableSection,
  relas: RelaTable,
  index: number,
  S: Va,
  plt: PltSection,
): RelocationStatus {
  if (plt.erratum843419 && isAdrpRelocation(relas.type(index))) {
    // Kernels that knew no veneer were built without these types if they were to run on such a CPU.
    if (!plt.format.veneers) return UNKNOWN_TYPE;
    if (isForbiddenForAdrp(section.address + relas.offset(index))) {
      return relocateForbiddenAdrp(section, relas, index, S, plt);
    }
  }
  const status = section.apply(relas, index, S);
  const type = relas.type(index);
  if (status !== OUT_OF_RANGE || !isBranch(type)) return status;
  const entry = hasAddend(relas, index)
    ? plt.emit(truncated(BigInt(S) + relas.addend(index)))
    : plt.emit(S, relas.symbol(index));
  return section.applyOne({ type, offset: relas.offset(index), S: entry });
}

/** An address kept to the bits that entries hold, 47 to 0 in every kernel; only hostile addends have others. */
function truncated(address: bigint): Va {
  return vaFromBigInt(BigInt.asIntN(53, address));
}

/** An ADR if the page is within 1 MiB, else a branch to a veneer; neither checks the range of the ADRP. */
function relocateForbiddenAdrp(
  section: RelocatableSection,
  relas: RelaTable,
  index: number,
  S: Va,
  plt: PltSection,
): RelocationStatus {
  const offset = relas.offset(index);
  if (offset + 4 > section.bytes.length) return BAD_PLACE;
  const place = (section.address + offset) as Va;
  const word = section.view.getUint32(offset, true);
  const page = (BigInt(S) + relas.addend(index)) & PAGE_MASK;
  const X = BigInt.asIntN(64, page - BigInt(place));
  if (X >= -ADR_REACH && X < ADR_REACH) {
    section.view.setInt32(offset, replaceField(word, IMM_ADR, Number(X)) & ~ADRP_BIT, true);
    return OK;
  }
  const veneer = plt.emitVeneer({ word, place, page: truncated(page) });
  section.view.setUint32(offset, branch(veneer - place) ?? BREAK_FAULT, true);
  return OK;
}
