import { describe, expect, it } from '@jest/globals';
import { decodeVaBits, hasErratum843419 } from '../../../scripts/conformance/processor.js';

/** ID_AA64MMFR0_EL1 and ID_AA64MMFR2_EL1 as QEMU 7.2 shows them. */
const CPUS: [string, bigint, bigint, [number, number][]][] = [
  [
    'cortex-a57',
    0x1124n,
    0n,
    [
      [4096, 48],
      [65536, 48],
    ],
  ],
  [
    'max',
    0x32310201126n,
    0x1021011010011011n,
    [
      [4096, 52],
      [16384, 52],
      [65536, 52],
    ],
  ],
];

describe('decodeVaBits', () => {
  it.each(CPUS)('%s', (_, mmfr0, mmfr2, expected) => {
    expect([...decodeVaBits(mmfr0, mmfr2)]).toEqual(expected);
  });

  it('takes 16K pages without LPA2, and no pages at all', () => {
    expect([...decodeVaBits(0xff100000n, 0n)]).toEqual([[16384, 48]]);
    expect([...decodeVaBits(0xff000000n, 0n)]).toEqual([]);
  });
});

describe('hasErratum843419', () => {
  it.each([
    ['cortex-a53', true],
    ['cortex-a53,pmu=off', true],
    ['cortex-a57', false],
    ['max', false],
  ])('%s: %s', (cpu, expected) => {
    expect(hasErratum843419(cpu)).toBe(expected);
  });
});
