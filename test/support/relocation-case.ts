/** Turns operands into a section and a RELA record, applies them with lib/reloc, and asks the reference what is right. */
import { expect } from '@jest/globals';
import { type Va, vaFromBigInt } from '../../lib/address.js';
import { RelaTable } from '../../lib/elf/rela-table.js';
import { OUT_OF_RANGE, type Refusal, RelocatableSection } from '../../lib/reloc/apply.js';
import { type ReferenceOperands, referenceRelocation } from './reference-relocation.js';

/** An Elf64_Rela. */
export interface RelaRecord {
  readonly offset: bigint;
  readonly type: number;
  readonly symbol?: number;
  readonly addend?: bigint;
}

export function relaTable(...records: readonly RelaRecord[]): RelaTable {
  const bytes = new Uint8Array(24 * records.length);
  const view = new DataView(bytes.buffer);
  records.forEach(({ offset, type, symbol = 0, addend = 0n }, index) => {
    view.setBigUint64(24 * index, offset, true);
    view.setUint32(24 * index + 8, type, true);
    view.setUint32(24 * index + 12, symbol, true);
    view.setBigInt64(24 * index + 16, BigInt.asIntN(64, addend), true);
  });
  return new RelaTable(bytes);
}

export const OK = 0;

/** Applies one record that no PLT helps; OK, or why it was refused. */
export function applyRecord(section: RelocatableSection, record: RelaRecord, S: Va): Refusal | typeof OK {
  let status: Refusal | typeof OK = OK;
  const refuse = (_: number, refusal: Refusal): void => {
    status = refusal;
  };
  section.apply({ relas: relaTable(record) }, { symbols: [S], detour: () => Number.NaN, refuse });
  return status;
}

/** The place stands between two other words, which no relocation may touch. */
const OFFSET = 8;
const GUARD = 0x5aa5c33c0ff0a55an;

/** Applies twice, compares with the reference after each. */
export function expectAsReference(operands: ReferenceOperands): void {
  const { type, S, A, P, before } = operands;
  const view = new DataView(new ArrayBuffer(24));
  for (const at of [0, 16]) view.setBigUint64(at, GUARD, true);
  view.setBigUint64(OFFSET, before, true);
  const section = new RelocatableSection(new Uint8Array(view.buffer), vaFromBigInt(P - BigInt(OFFSET)));
  const record = { offset: BigInt(OFFSET), type, addend: A };

  const outcome = referenceRelocation(operands);
  const ok = outcome.status === 'ok';
  for (let pass = 0; pass < 2; pass++) {
    const status = applyRecord(section, record, vaFromBigInt(S));
    const found = [status, view.getBigUint64(OFFSET, true), view.getBigUint64(0, true), view.getBigUint64(16, true)];
    const expected = [ok ? OK : OUT_OF_RANGE, ok ? outcome.after : before, GUARD, GUARD];
    // Compared before expect() is called: a million calls of it take minutes.
    if (found.some((value, index) => value !== expected[index]))
      expect({ operands, found }).toEqual({ operands, found: expected });
  }
}
