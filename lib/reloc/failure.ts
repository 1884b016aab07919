/**
 * Turns why a relocation was refused into an error, worded after lld.
 *
 * Apart from applying, because what a message needs (the section's and the symbol's name, X in full) is looked
 * up only now; X is computed again, in bigint.
 */
import { formatU64 } from '../address.js';
import { RelocationError } from '../errors.js';
import { BAD_PLACE, type NO_ADDRESS, OUT_OF_RANGE, type Refusal, UNKNOWN_TYPE } from './apply.js';
import { needsGot, relocationName } from './name.js';
import { findRelocationRow } from './table.js';
import { type Operands, relocationValue } from './value.js';

/** A relocation and what a person needs to find it. */
export interface RelocationSite extends Operands {
  readonly type: number;
  /** Name of the section that is relocated. */
  readonly section: string;
  /** r_offset: the place relative to its section. */
  readonly offset: number;
  readonly symbol: string;
}

/**
 * The error for what was refused. The message begins with the place, `(.text+0x1c4): `; the file's name is for
 * the caller to put before it.
 * @returns RelocationError OUT_OF_RANGE, UNKNOWN_TYPE or BAD_PLACE
 */
export function relocationError(refusal: Exclude<Refusal, typeof NO_ADDRESS>, site: RelocationSite): RelocationError {
  const { section, offset, type, symbol, S, A } = site;
  const where = `(${section}+0x${offset.toString(16)})`;
  const name = relocationName(type);
  const details = { section, offset, type, name, symbol, S: formatU64(BigInt(S)), A };
  switch (refusal) {
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
