import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  formatU64,
  formatVa,
  fromHalves,
  hex16,
  high32,
  low32,
  parseU64,
  parseVa,
  readVa,
  toU64,
  va,
  vaFromBigInt,
  writeVa,
} from '../../lib/address.js';
import { codeOf } from '../support/thrown.js';

const LIMIT = 2n ** 52n;
/** Canonical 52-bit addresses as signed numbers, the ends of the range included. */
const signed = fc.oneof(
  fc.bigInt({ min: -LIMIT, max: LIMIT - 1n }),
  fc.constantFrom(-LIMIT, -LIMIT + 1n, LIMIT - 1n, -1n, 0n),
);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const unsigned = (x: bigint): bigint => BigInt.asUintN(64, x);

describe('a Va', () => {
  it('holds every canonical address exactly, whichever way it comes in and goes out', () => {
    fc.assert(
      fc.property(signed, (x) => {
        const a = vaFromBigInt(x);
        expect(BigInt(a)).toBe(x);
        expect(vaFromBigInt(unsigned(x))).toBe(a);
        expect(va(Number(x))).toBe(a);
        expect(toU64(a)).toBe(unsigned(x));
        expect(fromHalves(high32(a), low32(a))).toBe(a);
      }),
    );
  });

  it('is read and written as 8 little-endian bytes, at any alignment', () => {
    fc.assert(
      fc.property(signed, fc.nat(7), (x, at) => {
        const expected = new DataView(new ArrayBuffer(16));
        expected.setBigInt64(at, x, true);
        const written = new DataView(new ArrayBuffer(16));
        writeVa(written, at, vaFromBigInt(x));
        expect(new Uint8Array(written.buffer)).toEqual(new Uint8Array(expected.buffer));
        expect(readVa(expected, at)).toBe(vaFromBigInt(x));
      }),
    );
  });

  it('is printed as 16 digits and parsed from them, from other hexadecimal and from decimal', () => {
    fc.assert(
      fc.property(signed, (x) => {
        const a = vaFromBigInt(x);
        const digits = unsigned(x).toString(16).padStart(16, '0');
        expect(hex16(a)).toBe(digits);
        expect(formatVa(a)).toBe(`0x${digits}`);
        for (const text of [formatVa(a), `0x${unsigned(x).toString(16).toUpperCase()}`, ` ${unsigned(x)} `]) {
          expect(parseVa(text, 'address')).toBe(a);
        }
      }),
    );
  });

  it('takes 52 bits at both ends of the address space and not one address more', () => {
    expect(formatVa(vaFromBigInt(0xfff0000000000000n))).toBe('0xfff0000000000000');
    expect(formatVa(vaFromBigInt(0x000fffffffffffffn))).toBe('0x000fffffffffffff');
    expect(codeOf(() => vaFromBigInt(0xffefffffffffffffn))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => vaFromBigInt(0x0010000000000000n))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => parseVa('0xffefffffffffffff', 'address'))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => parseVa('0x0010000000000000', 'address'))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => va(-(2 ** 52) - 1))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => va(2 ** 52))).toBe('ADDRESS_RANGE');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, -(2 ** 51) - 0.5])('is not %d', (x) => {
    expect(codeOf(() => va(x))).toBe('ADDRESS_RANGE');
  });

  it('is never a rounded value: what is not canonical is refused when read', () => {
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(u64, (x) => {
        view.setBigUint64(0, x, true);
        const value = BigInt.asIntN(64, x);
        const outcome = codeOf(() => readVa(view, 0));
        expect(outcome).toBe(value >= -LIMIT && value < LIMIT ? undefined : 'ADDRESS_RANGE');
      }),
    );
  });
});

describe('parseU64', () => {
  it('gives every 64-bit number back exactly', () => {
    fc.assert(
      fc.property(u64, (x) => {
        expect(parseU64(formatU64(x), 'seed')).toBe(x);
        expect(parseU64(x.toString(), 'seed')).toBe(x);
      }),
    );
  });

  it('takes 64 bits and not one more', () => {
    expect(parseU64('0xffffffffffffffff', 'seed')).toBe(2n ** 64n - 1n);
    expect(parseU64('18446744073709551615', 'seed')).toBe(2n ** 64n - 1n);
    expect(parseU64('0x0000000000ffffffffffffffff', 'seed')).toBe(2n ** 64n - 1n);
    expect(codeOf(() => parseU64('0x10000000000000000', 'seed'))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => parseU64('18446744073709551616', 'seed'))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => parseU64('0x1ffffffffffffffff', 'seed'))).toBe('ADDRESS_RANGE');
  });

  it.each([
    '',
    ' ',
    'abc',
    '-1',
    '+1',
    '0x',
    '0x-1',
    '1.5',
    '1e3',
    '0b11',
    '0o7',
    'ffff',
    '1_000',
    '0x1g',
    '1 2',
    '0x\n1',
  ])('does not take %j for a number', (text) => {
    expect(codeOf(() => parseU64(text, 'seed'))).toBe('ADDRESS_SYNTAX');
    expect(codeOf(() => parseVa(text, 'seed'))).toBe('ADDRESS_SYNTAX');
  });

  it('names in the error what was to be parsed', () => {
    expect(() => parseU64('abc', 'seed')).toThrow("seed 'abc'");
    expect(() => parseVa('0x0010000000000000', '--text')).toThrow('--text 0x0010000000000000');
  });
});
