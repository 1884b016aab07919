import { describe, expect, it } from '@jest/globals';
import { entropyOf } from '../../../lib/entropy/entropy.js';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { entropyRows } from '../../../lib/report/entropy-table.js';

const rowsOf = (era: string) =>
  entropyRows(
    entropyOf({
      era: eraByKey(era),
      geometry: geometryOf({ pageSize: 4096, vaBits: 48 }),
      imageSize: 33619968,
      etext: 2 ** 24,
    }),
  );

describe('entropyRows', () => {
  it('has what was measured of 6.1: 2^25 slots, and 34 bits of modules', () => {
    const bits = new Map(rowsOf('6.0').map(({ known, unknown, bits }) => [`${unknown}, ${known}`, bits]));
    expect(bits.get('kernel, nothing')).toBe(25);
    expect(bits.get('modules, nothing')).toBeCloseTo(34, 2);
    expect(bits.size).toBe(9);
  });

  it('has no linear map where that is not random', () => {
    const rows = rowsOf('6.16');
    expect(rows.filter(({ known, unknown }) => `${known} ${unknown}`.includes('linear'))).toEqual([]);
    expect(rows).toHaveLength(4);
  });

  it('never leaves more to guess than there are places', () => {
    for (const { slots, bits } of rowsOf('6.9')) expect(bits).toBeLessThanOrEqual(Math.log2(slots) + 1e-3);
  });
});
