import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addressField,
  DESCRIPTOR,
  leafDescriptor,
  nextTable,
  outputAddress,
  tableDescriptor,
} from '../../../lib/mmu/descriptor.js';
import { levelSize, outputBits, translationRegime } from '../../../lib/mmu/translation-regime.js';
import { regimes } from './arbitrary.js';

describe('addressField', () => {
  // Every bit of an address by hand: where the Arm ARM's D8.3 puts it.
  it.each([
    ['48-bit', 47, 47],
    ['48-bit', 12, 12],
    ['52-bit', 16, 16],
    ['52-bit', 47, 47],
    ['52-bit', 48, 12],
    ['52-bit', 51, 15],
    ['lpa2', 12, 12],
    ['lpa2', 49, 49],
    ['lpa2', 50, 8],
    ['lpa2', 51, 9],
  ] as const)('%s: address bit %i is descriptor bit %i', (format, from, to) => {
    expect(addressField(format, 2 ** from)).toBe(1n << BigInt(to));
  });
});

describe('descriptors', () => {
  it('gives back the address it was made with, for every format, level and attribute', () => {
    const cases = regimes.chain((regime) =>
      fc.record({
        regime: fc.constant(regime),
        level: fc.integer({ min: 1, max: 3 }),
        at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        contiguous: fc.boolean(),
      }),
    );
    const attributes =
      DESCRIPTOR.RDONLY | DESCRIPTOR.AF | DESCRIPTOR.NG | DESCRIPTOR.GP | DESCRIPTOR.DBM | DESCRIPTOR.PXN;
    fc.assert(
      fc.property(cases, ({ regime, level, at, contiguous }) => {
        const size = levelSize(regime, level);
        const pa = Math.floor((at * 2 ** outputBits(regime)) / size) * size;
        expect(outputAddress(regime, level, leafDescriptor(regime, { level, pa, contiguous, attributes }))).toBe(pa);
        const table = Math.floor((at * 2 ** outputBits(regime)) / regime.pageSize) * regime.pageSize;
        expect(nextTable(regime, tableDescriptor(regime, table, DESCRIPTOR.UXN_TABLE))).toBe(table);
      }),
    );
  });

  it('tells pages from blocks by bit 1', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
    const leaf = { pa: 2 ** 30, contiguous: false, attributes: 0n };
    expect(leafDescriptor(regime, { ...leaf, level: 3 })).toBe(0x40000003n);
    expect(leafDescriptor(regime, { ...leaf, level: 2 })).toBe(0x40000001n);
    expect(tableDescriptor(regime, 2 ** 30, DESCRIPTOR.UXN_TABLE)).toBe(0x1000000040000003n);
  });
});
