/** X of a relocation in full, by bigint: for messages, and for addends and distances that a double would round. */
import type { Va } from '../address.js';
import type { RelocationRow } from './table.js';

const PAGE_MASK = ~0xfffn;

/** Symbol, addend and place, as AAELF64 names them. */
export interface Operands {
  readonly S: Va;
  readonly A: bigint;
  readonly P: Va;
}

/** X of a row's operation as a signed 64-bit number, before any bits are taken from it. */
export function relocationValue(row: RelocationRow, { S, A, P }: Operands): bigint {
  const sum = BigInt(S) + A;
  switch (row.op) {
    case 'none':
      return 0n;
    case 'S+A':
      return BigInt.asIntN(64, sum);
    case 'S+A-P':
      return BigInt.asIntN(64, sum - BigInt(P));
    case 'Page(S+A)-Page(P)':
      return BigInt.asIntN(64, (sum & PAGE_MASK) - (BigInt(P) & PAGE_MASK));
  }
}
