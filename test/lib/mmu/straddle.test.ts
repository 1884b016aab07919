import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { straddle } from '../../../lib/mmu/straddle.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('straddle', () => {
  // [page size, VA bits, boundary, tables of an image that ends at a boundary, tables of one that crosses it]
  it.each([
    [4096, 48, GIB, 3, 4],
    [4096, 39, GIB, 2, 3],
    [16384, 47, 32 * MIB, 3, 4],
    [65536, 48, 512 * MIB, 3, 4],
  ])('%i-byte pages, %i VA bits: a table more across %i bytes', (pageSize, vaBits, boundary, within, across) => {
    const regime = translationRegime({ pageSize, vaBits });
    const at = -(2 ** (vaBits - 2)) + boundary;
    const size = 24 * MIB;
    expect(straddle(regime, { start: va(at - size), end: va(at) })).toEqual({
      boundary,
      crossed: [],
      tables: within,
      leastTables: within,
    });
    expect(straddle(regime, { start: va(at - size + 2 * MIB), end: va(at + 2 * MIB) })).toEqual({
      boundary,
      crossed: [at],
      tables: across,
      leastTables: within,
    });
  });

  it('costs a table at every level where the boundary is one of them all', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
    const at = -(2 ** 46);
    expect(straddle(regime, { start: va(at - 2 * MIB), end: va(at + 2 * MIB) })).toMatchObject({
      tables: 5,
      leastTables: 3,
    });
  });

  it('counts every boundary of an image larger than one', () => {
    const regime = translationRegime({ pageSize: 16384, vaBits: 47 });
    const at = -(2 ** 40);
    const result = straddle(regime, { start: va(at + MIB), end: va(at + 100 * MIB) });
    expect(result.crossed).toEqual([32, 64, 96].map((n) => at + n * MIB));
    expect(result.tables).toBe(result.leastTables);
  });

  it('refuses what no image is', () => {
    const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
    expect(() => straddle(regime, { start: va(-(2 ** 47)), end: va(0) })).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
    expect(() => straddle(regime, { start: va(-MIB), end: va(-2 * MIB) })).toThrow(
      expect.objectContaining({ code: 'BAD_RANGE' }),
    );
  });
});
