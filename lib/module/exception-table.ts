/**
 * Sorts `__ex_table` by the address of the instruction, as the kernel does once a module is relocated. Entries hold distances from
 * themselves, so that moving one rewrites it.
 * @see Linux 6.1 lib/extable.c, sort_extable(); arch/arm64/include/asm/extable.h, swap_ex_entry_fixup()
 */

const INSTRUCTION = 0;
const FIXUP = 4;
const TYPE_AND_DATA = 8;

/** @param table the relocated section, written in place; a rest shorter than an entry is left alone, as the kernel rounds down */
export function sortExceptionTable(table: Uint8Array, entrySize: 8 | 12): void {
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const entries = Array.from({ length: Math.floor(table.length / entrySize) }, (_, i) => {
    const at = i * entrySize;
    return {
      instruction: at + INSTRUCTION + view.getInt32(at + INSTRUCTION, true),
      fixup: at + FIXUP + view.getInt32(at + FIXUP, true),
      typeAndData: entrySize === 12 ? view.getUint32(at + TYPE_AND_DATA, true) : 0,
    };
  });
  entries.sort((a, b) => a.instruction - b.instruction);
  entries.forEach(({ instruction, fixup, typeAndData }, i) => {
    const at = i * entrySize;
    view.setInt32(at + INSTRUCTION, instruction - at - INSTRUCTION, true);
    view.setInt32(at + FIXUP, fixup - at - FIXUP, true);
    if (entrySize === 12) view.setUint32(at + TYPE_AND_DATA, typeAndData, true);
  });
}
