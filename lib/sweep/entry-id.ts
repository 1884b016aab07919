/**
 * Which rows can share a PLT entry: those with the same id, if the kernel emits them one after the other.
 *
 * From 4.12 the kernel compares an entry with the last one emitted into that PLT, whatever section asked for it: the same
 * destination is recognised there and nowhere else. Up to 4.11 it is the symbol that counts. Veneers are never shared.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, module_emit_plt_entry(), plt_entries_equal()
 */
import type { PltFormat } from '../plt/format.js';
import { ENTRY } from './branch-column.js';

export interface IdentifiedRows {
  readonly count: number;
  readonly part: ArrayLike<number>;
  readonly kind: ArrayLike<number>;
  readonly frame: ArrayLike<number>;
  readonly offset: ArrayLike<number>;
  readonly symbol: ArrayLike<number>;
}

/** An id for each row, from 0; rows of different PLTs never have the same. */
export function entryIds(
  { count, part, kind, frame, offset, symbol }: IdentifiedRows,
  reuse: PltFormat['reuse'],
): Int32Array {
  const known = new Map<string, number>();
  const ids = new Int32Array(count);
  let next = 0;
  for (let row = 0; row < count; row++) {
    if (kind[row] !== ENTRY) {
      ids[row] = next++;
      continue;
    }
    const shared = reuse === 'symbol' ? `${symbol[row]}` : `${frame[row]} ${offset[row]}`;
    const key = `${part[row]} ${shared}`;
    let id = known.get(key);
    if (id === undefined) {
      id = next++;
      known.set(key, id);
    }
    ids[row] = id;
  }
  return ids;
}
