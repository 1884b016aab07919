/**
 * Turns the status of a relocation that was refused into an error, worded after lld.
 *
 * Apart from applying, because what a message needs (the section's and the symbol's name, X in full) is looked
 * up only now; X is computed again, in bigint.
 */
import { formatU64, type Va } from '../address.js';
import { RelocationError } from '../errors.js';
import { BAD_PLACE, OUT_OF_RANGE, type Relocation, type RelocationStatus, UNKNOWN_TYPE } from './apply.js';
import { needsGot, relocationName } from './name.js';
import { findRelocationRow, type RelocationRow } from './table.js';

/** A relocation and what a person needs to find it. */
export interface RelocationSite extends Relocation {
  /** Name of the section that is relocated. */
  readonly section: string;
  /** Run address of the place. */
  readonly P: Va;
  readonly symbol: string;
  readonly A: bigint;
}

const PAGE_MASK = ~0xfffn;

/** X of a row's operation as a signed 64-bit number, before any bits are taken from it. */
export function relocationValue(row: RelocationRow, { S, A, P }: Pick<RelocationSite, 'S' | 'A' | 'P'>): bigint {
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

/**
 * The error for a status other than OK. The message begins with the place, `(.text+0x1c4): `; the file's name is for
 * the caller to put before it.
 * @returns RelocationError OUT_OF_RANGE, UNKNOWN_TYPE or BAD_PLACE
 */
export function relocationError(status: Exclude<RelocationStatus, 0>, site: RelocationSite): RelocationError {
  const { section, offset, type, symbol, S, A } = site;
  const where = `(${section}+0x${offset.toString(16)})`;
  const name = relocationName(type);
  const details = { section, offset, type, name, symbol, S: formatU64(BigInt(S)), A };
  switch (status) {
    case OUT_OF_RANGE: {
      const row = findRelocationRow(type)!;
      const value = relocationValue(row, site);
      const range = `[${row.range!.low}, ${row.range!.end - 1}]`;
      return new RelocationError(
        'OUT_OF_RANGE',
        `${where}: relocation ${name} out of range: ${value} is not in ${range}; references '${symbol}'`,
        { ...details, value },
      );
    }
    case UNKNOWN_TYPE: {
      const reason = needsGot(type) ? ' (built as position-independent code)' : '';
      const message = `${where}: relocation ${name} is not supported by Linux${reason}; references '${symbol}'`;
      return new RelocationError('UNKNOWN_TYPE', message, details);
    }
    case BAD_PLACE:
      return new RelocationError(
        'BAD_PLACE',
        `${where}: relocation ${name} lies outside its section; references '${symbol}'`,
        details,
      );
  }
}
