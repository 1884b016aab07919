import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { alignDown, alignUp, bits, isPowerOfTwo, signExtend } from '../../lib/bits.js';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 });

describe('bits', () => {
  it('takes [msb:lsb] as an unsigned number', () => {
    fc.assert(
      fc.property(word, fc.nat(31), fc.nat(31), (x, a, b) => {
        const [msb, lsb] = [Math.max(a, b), Math.min(a, b)];
        const expected = (BigInt.asUintN(32, BigInt(x)) >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n);
        expect(bits(x, msb, lsb)).toBe(Number(expected));
      }),
    );
  });
});

describe('signExtend', () => {
  it('reads the low bits as two’s complement, of every width', () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 1, max: 32 }), (x, width) => {
        expect(signExtend(x, width)).toBe(Number(BigInt.asIntN(width, BigInt(x))));
      }),
    );
  });
});

describe('alignment', () => {
  /** Results must stay exact too, so not the very last numbers. */
  const value = fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n });
  const align = fc.oneof(
    fc.integer({ min: 0, max: 40 }).map((shift) => 2 ** shift),
    fc.integer({ min: 1, max: 1000 }),
  );

  it('is the nearest multiple on either side, for negative numbers too', () => {
    fc.assert(
      fc.property(value, align, (x, a) => {
        const step = BigInt(a);
        const above = ((x % step) + step) % step;
        expect(BigInt(alignDown(Number(x), a))).toBe(x - above);
        expect(BigInt(alignUp(Number(x), a))).toBe(above === 0n ? x : x - above + step);
      }),
    );
  });
});

describe('isPowerOfTwo', () => {
  it.each(Array.from({ length: 53 }, (_, shift) => shift))('knows 2^%d and not its neighbours', (shift) => {
    const power = 2 ** shift;
    expect(isPowerOfTwo(power)).toBe(true);
    expect(isPowerOfTwo(power + 1)).toBe(power + 1 === 2);
    expect(isPowerOfTwo(power - 1)).toBe(power - 1 === 1 || power - 1 === 2);
  });

  it.each([0, -1, -2, 0.5, 1.5, Number.NaN])('knows that %d is none', (x) => {
    expect(isPowerOfTwo(x)).toBe(false);
  });
});
