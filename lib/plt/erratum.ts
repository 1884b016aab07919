/**
 * Cortex-A53 erratum 843419: an ADRP in one of the last two words of a 4 KiB page can yield a wrong address.
 *
 * Arm's notice (ARM-EPM-048406) names longer conditions; Linux, like the linkers, avoids the place as such.
 * @see Linux 6.12 arch/arm64/include/asm/module.h, is_forbidden_offset_for_adrp()
 */

/** Bits [11:3] of a place where no ADRP may stand are all ones. */
const FORBIDDEN_BITS = 0xff8;

/** Whether an ADRP at this address can meet the erratum: page offset 0xff8 or 0xffc. */
export function isForbiddenForAdrp(place: number): boolean {
  return (place & FORBIDDEN_BITS) === FORBIDDEN_BITS;
}

/**
 * The section alignment that keeps an ADRP at section offset `offset` away from forbidden places, or undefined if
 * no alignment up to 4 KiB does: the lowest zero in bits [11:3] of the offset must stay zero in the address.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, count_plts()
 */
export function safeAlignment(offset: number): number | undefined {
  const zeros = ~offset & FORBIDDEN_BITS;
  return zeros === 0 ? undefined : 2 * (zeros & -zeros);
}
