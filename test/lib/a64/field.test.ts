import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as field from '../../../lib/a64/field.js';

/** Bits of the instruction word from the encoding diagrams of the Arm ARM: [msb, lsb] of every part, lowest first. */
const DIAGRAMS: readonly [string, field.ImmediateField, readonly (readonly [number, number])[]][] = [
  ['imm26 of B', field.IMM26, [[25, 0]]],
  ['imm19 of B.cond', field.IMM19, [[23, 5]]],
  ['imm14 of TBZ', field.IMM14, [[18, 5]]],
  ['imm12 of ADD', field.IMM12, [[21, 10]]],
  ['imm16 of MOVZ', field.IMM16, [[20, 5]]],
  [
    'immlo and immhi of ADR',
    field.IMM_ADR,
    [
      [30, 29],
      [23, 5],
    ],
  ],
];

describe.each(DIAGRAMS)('%s', (_, immediate, parts) => {
  const length = parts.reduce((sum, [msb, lsb]) => sum + msb - lsb + 1, 0);

  it('occupies the bits of the encoding diagram', () => {
    const mask = parts.reduce((sum, [msb, lsb]) => sum + 2 ** (msb + 1) - 2 ** lsb, 0);
    expect(immediate.mask >>> 0).toBe(mask);
    expect(immediate.width).toBe(length);
  });

  it('puts each bit of the immediate where the diagram has it', () => {
    const positions = parts.flatMap(([msb, lsb]) => Array.from({ length: msb - lsb + 1 }, (_unused, i) => lsb + i));
    positions.forEach((position, bit) => {
      expect(field.replaceField(0, immediate, 2 ** bit) >>> 0).toBe(2 ** position);
    });
  });

  it('reads back what was written and leaves all other bits alone', () => {
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(word, word, (before, value) => {
        const after = field.replaceField(before, immediate, value);
        expect(field.readField(after, immediate)).toBe((value & (2 ** length - 1)) >>> 0);
        expect((after ^ before) & ~immediate.mask).toBe(0);
      }),
    );
  });
});
