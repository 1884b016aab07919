/**
 * The relocations of a section as the kernel applies them: through a PLT entry where a branch does not reach, and around
 * erratum 843419 where an ADRP must not stand.
 * @see Linux 6.12 arch/arm64/kernel/module.c, apply_relocate_add(), reloc_insn_adrp()
 */

import { IMM_ADR, replaceField } from '../a64/field.js';
import { branch } from '../a64/instruction.js';
import { type Va, vaFromBigInt } from '../address.js';
import type { RelaTable } from '../elf/rela-table.js';
import { BAD_PLACE, type Refusal, type RelocatableSection, type Resolution, UNKNOWN_TYPE } from '../reloc/apply.js';
import { isAdrpRelocation } from './count.js';
import { BREAK_FAULT } from './entry.js';
import { isForbiddenForAdrp } from './erratum.js';
import { hasAddend, isBranch } from './order.js';
import type { PltSection } from './section.js';

const PAGE_MASK = ~0xfffn;
const ADR_REACH = 1n << 20n;
/** The bit that makes an ADR an ADRP. */
const ADRP_BIT = 0x80000000;

/** What is relocated, and by what. */
export interface SectionRelocation extends Pick<Resolution, 'symbols' | 'refuse'> {
  readonly section: RelocatableSection;
  /** In the order of `orderForPlt`. */
  readonly relas: RelaTable;
  /** The PLT of the region that the section lies in, core or init. */
  readonly plt: PltSection;
}

/**
 * Applies all records in order. A branch that is refused as OUT_OF_RANGE is too far from the PLT itself.
 * @throws PltError EXHAUSTED or UNREACHABLE as PltSection.emit(); what `refuse` throws
 */
export function relocateSection(relocation: SectionRelocation): void {
  const { section, relas, symbols, plt, refuse } = relocation;
  const detour = (index: number): number => {
    if (!isBranch(relas.type(index))) return Number.NaN;
    const symbol = relas.symbol(index);
    const S = symbols[symbol]!;
    return hasAddend(relas, index) ? plt.emit(truncated(BigInt(S) + relas.addend(index))) : plt.emit(S, symbol);
  };
  const resolution = { symbols, detour, refuse };
  let from = 0;
  if (plt.erratum843419) {
    for (let index = 0; index < relas.count; index++) {
      if (!isAdrpRelocation(relas.type(index)) || !isRewritten(relocation, index)) continue;
      section.apply({ relas, from, end: index }, resolution);
      from = index + 1;
      const refusal = relocateForbiddenAdrp(relocation, index);
      if (refusal !== undefined) refuse(index, refusal);
    }
  }
  section.apply({ relas, from }, resolution);
}

/** Whether an ADRP does not stay one, where the CPU has the erratum. */
function isRewritten({ section, relas, symbols, plt }: SectionRelocation, index: number): boolean {
  if (symbols[relas.symbol(index)] === undefined) return false;
  return !plt.format.veneers || isForbiddenForAdrp(section.address + relas.offset(index));
}

/** An address kept to the bits that entries hold, 47 to 0 in every kernel; only hostile addends have others. */
function truncated(address: bigint): Va {
  return vaFromBigInt(BigInt.asIntN(53, address));
}

/** An ADR if the page is within 1 MiB, else a branch to a veneer; neither checks the range of the ADRP. */
function relocateForbiddenAdrp(
  { section, relas, symbols, plt }: SectionRelocation,
  index: number,
): Refusal | undefined {
  // Kernels that knew no veneer were built without these types if they were to run on such a CPU.
  if (!plt.format.veneers) return UNKNOWN_TYPE;
  const offset = relas.offset(index);
  if (offset + 4 > section.bytes.length) return BAD_PLACE;
  const S = symbols[relas.symbol(index)]!;
  const place = (section.address + offset) as Va;
  const word = section.view.getUint32(offset, true);
  const page = (BigInt(S) + relas.addend(index)) & PAGE_MASK;
  const X = BigInt.asIntN(64, page - BigInt(place));
  if (X >= -ADR_REACH && X < ADR_REACH) {
    section.view.setInt32(offset, replaceField(word, IMM_ADR, Number(X)) & ~ADRP_BIT, true);
    return undefined;
  }
  const veneer = plt.emitVeneer({ word, place, page: truncated(page) });
  section.view.setUint32(offset, branch(veneer - place) ?? BREAK_FAULT, true);
  return undefined;
}
