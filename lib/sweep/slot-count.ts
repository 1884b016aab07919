/**
 * From entries emitted to the kernel's counter: the same, unless erratum 843419 forbids an ADRP in some slots, which are
 * skipped and counted. Which ones does not depend on the placement: regions are page aligned, and the erratum looks at 4 KiB.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, module_emit_plt_entry()
 */
import { PLT_SECTION } from '../module/frobbed-section.js';
import type { PreparedModule } from '../module/load.js';
import { isForbiddenForAdrp } from '../plt/erratum.js';

/** Where slots are skipped: offsets of the core and the init PLT in their regions, and the size of a slot. */
export interface SkippedSlots {
  readonly starts: readonly [number, number];
  readonly slotSize: number;
}

/** Undefined where no slot is ever skipped. */
export function skippedSlots({ frobbed, layout, environment }: PreparedModule): SkippedSlots | undefined {
  const { erratum843419, rule } = environment;
  if (!erratum843419 || !rule.plt.entry.usesAdrp) return undefined;
  const startOf = (name: string): number => {
    const section = frobbed.sections.find((s) => s.section.name === name);
    return (section && layout.places.get(section.section.index)?.offset) ?? 0;
  };
  return { starts: [startOf(PLT_SECTION.core), startOf(PLT_SECTION.init)], slotSize: rule.plt.entry.size };
}

/** The kernel's plt_num_entries after `entries` entries and veneers, skipped slots included. */
export type SlotCount = (entries: number) => number;

/** Of the core PLT and of the init PLT. */
export function slotCounts(skipped: SkippedSlots | undefined): readonly [SlotCount, SlotCount] {
  if (!skipped) return [EVERY_SLOT, EVERY_SLOT];
  const countFrom = (start: number): SlotCount => {
    const counts = [0];
    return (entries) => {
      while (counts.length <= entries) {
        const used = counts.at(-1)!;
        counts.push(isForbiddenForAdrp(start + used * skipped.slotSize) ? used + 2 : used + 1);
      }
      return counts[entries]!;
    };
  };
  return [countFrom(skipped.starts[0]), countFrom(skipped.starts[1])];
}

const EVERY_SLOT: SlotCount = (entries) => entries;
