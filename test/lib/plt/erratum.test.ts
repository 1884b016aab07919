import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isForbiddenForAdrp, safeAlignment } from '../../../lib/plt/erratum.js';

describe('isForbiddenForAdrp', () => {
  it('is true for the last two words of a 4 KiB page', () => {
    const places = [0, 0xff0, 0xff4, 0xff8, 0xffc, 0x1000, 0x7f8, 0x1ff8, -0x800000000008, -0x80000000000c];
    expect(places.filter(isForbiddenForAdrp)).toEqual([0xff8, 0xffc, 0x1ff8, -0x800000000008]);
  });
});

describe('safeAlignment', () => {
  const offset = fc.nat({ max: 2 ** 22 }).map((x) => 4 * x);

  it('keeps the ADRP off forbidden places wherever the section goes, and half of it would not', () => {
    fc.assert(
      fc.property(offset, (at) => {
        const alignment = safeAlignment(at);
        const forbidden = (step: number) =>
          Array.from({ length: 8192 / step }, (_, i) => i * step).some((base) => isForbiddenForAdrp(base + at));
        if (alignment === undefined) {
          expect(forbidden(4096)).toBe(true);
          return;
        }
        expect(alignment).toBeLessThanOrEqual(4096);
        expect(forbidden(alignment)).toBe(false);
        expect(alignment === 16 || forbidden(alignment / 2)).toBe(true);
      }),
    );
  });

  it.each([
    [0, 16],
    [4, 16],
    [8, 32],
    [0x7f8, 4096],
    [0xff0, 16],
    [0xff8, undefined],
    [0x12ffc, undefined],
  ])('of section offset %i is %s', (at, alignment) => {
    expect(safeAlignment(at)).toBe(alignment);
  });
});
