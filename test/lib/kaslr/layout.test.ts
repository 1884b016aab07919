import { describe, expect, it } from '@jest/globals';
import { formatVa } from '../../../lib/address.js';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf, vaBitsMinOf, vaLayout } from '../../../lib/kaslr/layout.js';
import { codeOf } from '../../support/thrown.js';

describe('geometryOf', () => {
  it.each([
    [4096, [39, 48, 52]],
    [16384, [36, 47, 48, 52]],
    [65536, [42, 48, 52]],
  ])('takes for pages of %d what Kconfig offers and nothing else', (pageSize, offered) => {
    for (let vaBits = 0; vaBits <= 64; vaBits++) {
      const outcome = codeOf(() => geometryOf({ pageSize, vaBits }));
      expect([vaBits, outcome]).toEqual([vaBits, offered.includes(vaBits) ? undefined : 'BAD_LAYOUT']);
    }
  });

  it.each([0, 1, 4095, 8192, 2 ** 21, -4096, Number.NaN])('knows no pages of %d', (pageSize) => {
    expect(codeOf(() => geometryOf({ pageSize, vaBits: 48 }))).toBe('BAD_LAYOUT');
  });

  it('runs with 52 bits where the CPU has them, with VA_BITS_MIN where not, and not at all below', () => {
    const actual = (cpu: number | undefined, pageSize: number) =>
      geometryOf({ pageSize, vaBits: 52 }, cpu).vaBitsActual;
    expect([undefined, 48, 51, 52, 64].map((cpu) => actual(cpu, 4096))).toEqual([48, 48, 48, 52, 52]);
    expect([undefined, 47, 48, 52].map((cpu) => actual(cpu, 16384))).toEqual([47, 47, 47, 52]);
    expect(codeOf(() => actual(47, 4096))).toBe('BAD_LAYOUT');
    expect(codeOf(() => actual(46, 16384))).toBe('BAD_LAYOUT');
    expect(geometryOf({ pageSize: 4096, vaBits: 39 }, 52).vaBitsActual).toBe(39);
  });

  it('asks of a CPU 48 bits for a 52-bit kernel, 47 with 16K pages', () => {
    expect([39, 48, 52].map((bits) => vaBitsMinOf(4096, bits))).toEqual([39, 48, 48]);
    expect([36, 47, 48, 52].map((bits) => vaBitsMinOf(16384, bits))).toEqual([36, 47, 48, 47]);
    expect([42, 48, 52].map((bits) => vaBitsMinOf(65536, bits))).toEqual([42, 48, 48]);
  });
});

describe('vaLayout', () => {
  // As real kernels are linked.
  it.each([
    ['4.6', 4096, 48, '0xffff000008000000'],
    ['4.17', 4096, 39, '0xffffff8008000000'],
    ['5.4', 4096, 48, '0xffff800010000000'],
    ['6.0', 4096, 48, '0xffff800008000000'],
    ['6.5', 4096, 48, '0xffff800080000000'],
    ['6.9', 4096, 52, '0xffff800080000000'],
    ['6.9', 16384, 52, '0xffffc00080000000'],
    ['6.16', 4096, 39, '0xffffffc080000000'],
  ])('puts KIMAGE_VADDR of era %s with pages of %d and %d bits at %s', (era, pageSize, vaBits, expected) => {
    expect(formatVa(vaLayout(eraByKey(era), geometryOf({ pageSize, vaBits })).kimageVaddr)).toBe(expected);
  });
});
