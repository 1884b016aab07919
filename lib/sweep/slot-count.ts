/**
 * From entries emitted to the kernel's counter: the same, unless erratum 843419 forbids an ADRP in some slots, which are
 * skipped and counted. Which ones does not depend on the placement: regions are page aligned, and the erratum looks at 4 KiB.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, module_emit_plt_entry()
 */

import { PLT_SECTION } from '../module/frobbed-section.js';
import type { PreparedModule } from '../module/load.js';
import { isForbiddenForAdrp } from '../plt/erratum.js';

/** The kernel's plt_num_entries after `entries` entries and veneers, skipped slots included. */
export type SlotCount = (entries: number) => number;

/** Of the core PLT and of the init PLT. */
export type SlotCounts = readonly [SlotCount, SlotCount];

/** A slot is never skipped. */
const EVERY_SLOT: SlotCount = (entries) => entries;

export function slotCounts({ frobbed, layout, environment }: PreparedModule): SlotCounts {
  const { erratum843419, rule } = environment;
  const { size, usesAdrp } = rule.plt.entry;
  if (!erratum843419 || !usesAdrp) return [EVERY_SLOT, EVERY_SLOT];
  const countsOf = (name: string): SlotCount => {
    const section = frobbed.sections.find((s) => s.section.name === name);
    const start = (section && layout.places.get(section.section.index)?.offset) ?? 0;
    const counts = [0];
    return (entries) => {
      while (counts.length <= entries) {
        const used = counts.at(-1)!;
        counts.push(isForbiddenForAdrp(start + used * size) ? used + 2 : used + 1);
      }
      return counts[entries]!;
    };
  };
  return [countsOf(PLT_SECTION.core), countsOf(PLT_SECTION.init)];
}
