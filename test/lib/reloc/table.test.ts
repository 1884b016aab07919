import { describe, expect, it } from '@jest/globals';
import { needsGot, relocationName } from '../../../lib/reloc/name.js';
import { findRelocationRow, RELOCATION_ROWS } from '../../../lib/reloc/table.js';
import { REFERENCE } from '../../support/reference-relocation.js';

describe('the relocation table', () => {
  it('has the 37 types that Linux accepts, and NONE under both its numbers', () => {
    const types = RELOCATION_ROWS.map((row) => row.type).sort((a, b) => a - b);
    expect(types).toEqual([0, 256, ...Object.keys(REFERENCE).map(Number)]);
    expect(types).toHaveLength(39);
  });

  it.each(Object.entries(REFERENCE))('names type %s as the ABI does', (type, { name }) => {
    expect(findRelocationRow(Number(type))?.name).toBe(`R_AARCH64_${name}`);
  });

  it('allows the wider ranges of the ABI only where Linux narrows them', () => {
    const narrowed = RELOCATION_ROWS.filter((row) => row.abi).map((row) => [row.name, row.abi!.low, row.abi!.end]);
    expect(narrowed).toEqual([
      ['R_AARCH64_ABS32', -(2 ** 31), 2 ** 32],
      ['R_AARCH64_ABS16', -(2 ** 15), 2 ** 16],
      ['R_AARCH64_PREL32', -(2 ** 31), 2 ** 32],
      ['R_AARCH64_PREL16', -(2 ** 15), 2 ** 16],
    ]);
  });

  it('leads only branches of 26 bits through a PLT', () => {
    expect(RELOCATION_ROWS.filter((row) => row.pltable).map((row) => row.name)).toEqual([
      'R_AARCH64_JUMP26',
      'R_AARCH64_CALL26',
    ]);
  });
});

describe('relocationName', () => {
  it('names what is refused, and numbers what nobody knows', () => {
    expect(relocationName(275)).toBe('R_AARCH64_ADR_PREL_PG_HI21');
    expect(relocationName(311)).toBe('R_AARCH64_ADR_GOT_PAGE');
    expect(relocationName(312)).toBe('R_AARCH64_LD64_GOT_LO12_NC');
    expect(relocationName(1027)).toBe('R_AARCH64_RELATIVE');
    expect(relocationName(281)).toBe('unknown (281)');
    expect(relocationName(0xffffffff)).toBe('unknown (4294967295)');
  });

  it('knows which types go through a GOT', () => {
    expect([299, 300, 311, 312, 314, 315, 316].filter(needsGot)).toEqual([300, 311, 312, 315]);
  });
});
