import { describe, expect, it } from '@jest/globals';
import { hexAddress } from '../../../../lib/report/page/hex-range.js';
import { formatOffset, formatShare, formatSize } from '../../../../lib/report/page/quantity.js';

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [2 ** 21, '2 MiB'],
    [1.5 * 2 ** 30, '1.5 GiB'],
    [-(2 ** 31), '-2 GiB'],
    [0.25, '0.25 B'],
    [2 ** 52, '4 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('formatShare', () => {
  it.each([
    [0, '0 %'],
    [1, '100 %'],
    [0.0571, '5.71 %'],
    [0.00001, '< 0.01 %'],
  ])('%d is %s', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });
});

describe('formatOffset', () => {
  it('has a sign on both sides of 0', () => {
    expect([formatOffset(0), formatOffset(4096), formatOffset(-65536)]).toEqual(['+0x0', '+0x1000', '-0x10000']);
  });
});

describe('hexAddress', () => {
  it('knows the end of the address space, which no 64-bit register holds', () => {
    expect(hexAddress(-1)).toBe('0xffffffffffffffff');
    expect(hexAddress(0)).toBe('0x10000000000000000');
    expect(hexAddress(-(2 ** 47))).toBe('0xffff800000000000');
  });
});
