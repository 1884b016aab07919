/** PLT entries counted by hand from a module's relocations: sets and sorted lists instead of the kernel's partition. */
import type { RawObject, RawRelocation } from './raw-object.js';

const isBranch = ({ type }: RawRelocation): boolean => type === 282 || type === 283;

/** Branches of the executable sections that the filter takes. */
function branchesOf({ sections, relocations }: RawObject, takes: (section: string) => boolean): RawRelocation[] {
  return relocations.filter((one) => {
    const target = sections[one.target]!;
    return isBranch(one) && (target.flags & 4) !== 0 && takes(target.name);
  });
}

/** Entries reserved: one for each type, symbol and section that a branch leaves, and one for each branch with an addend. */
export function reservedEntries(object: RawObject, takes: (section: string) => boolean): number {
  const leaving = branchesOf(object, takes).filter(({ symbol, target }) => object.symbols[symbol]!.section !== target);
  const shared = new Set(
    leaving.filter(({ addend }) => addend === 0n).map(({ target, type, symbol }) => `${target} ${type} ${symbol}`),
  );
  return shared.size + leaving.filter(({ addend }) => addend !== 0n).length;
}

/**
 * Entries used for the branches of one PLT that do not reach: one whenever the destination changes, the branches of each
 * section in the order of type and symbol.
 */
export function usedEntries(unreached: readonly (RawRelocation & { readonly destination: bigint })[]): number {
  const sorted = [...unreached].sort(
    (a, b) => a.target - b.target || a.type - b.type || a.symbol - b.symbol || Number(a.addend - b.addend),
  );
  return sorted.filter(({ destination }, i) => destination !== sorted[i - 1]?.destination).length;
}
