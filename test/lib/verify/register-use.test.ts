/** Against what the Arm ARM says of each instruction; the words are those of LLVM's assembler. */
import { describe, expect, it } from '@jest/globals';
import { isDataProcessing, isInterruption, registerUse } from '../../../lib/verify/register-use.js';

const none = { reads: [], stores: [], writes: [], fetches: [] };

describe('registerUse', () => {
  it.each([
    ['adr x3, label', 0x10000003, { writes: [3] }],
    ['adrp x3, 0', 0x90000003, { writes: [3] }],
    ['movz x3, #1', 0xd2800023, { writes: [3] }],
    ['movn x3, #1', 0x92800023, { writes: [3] }],
    ['movk x3, #1', 0xf2800023, { reads: [3], writes: [3] }],
    ['bfi x3, x4, #1, #2', 0xb37f0483, { reads: [3, 4], writes: [3] }],
    ['extr x3, x4, x5, #1', 0x93c50483, { reads: [4, 5], writes: [3] }],
    ['add x3, x4, #1', 0x91000483, { reads: [4], writes: [3] }],
    ['and x3, x4, #1', 0x92400083, { reads: [4], writes: [3] }],
    ['ubfx x3, x4, #1, #2', 0xd3410883, { reads: [4], writes: [3] }],
    ['ccmp x4, x5, #1, eq', 0xfa450081, { reads: [4, 5] }],
    ['ccmp x4, #5, #1, eq', 0xfa450881, { reads: [4] }],
    ['rmif x4, #5, #1', 0xba028481, { reads: [4] }],
    ['setf8 w4', 0x3a00088d, { reads: [4] }],
    ['rbit x3, x4', 0xdac00083, { reads: [4], writes: [3] }],
    ['madd x3, x4, x5, x6', 0x9b051883, { reads: [4, 5, 6], writes: [3] }],
    ['add x3, x4, x5', 0x8b050083, { reads: [4, 5], writes: [3] }],
    ['eor x3, x4, x5, lsl #2', 0xca050883, { reads: [4, 5], writes: [3] }],
    ['csel x3, x4, x5, eq', 0x9a850083, { reads: [4, 5], writes: [3] }],
    ['adc x3, x4, x5', 0x9a050083, { reads: [4, 5], writes: [3] }],
    ['lslv x3, x4, x5', 0x9ac52083, { reads: [4, 5], writes: [3] }],
    ['ldr x3, label', 0x58000003, { fetches: [3] }],
    ['ldr d3, label', 0x5c000003, {}],
    ['ldxr x3, [x4]', 0xc85f7c83, { reads: [4], stores: [3, 31, 31], fetches: [3, 31, 31] }],
    ['ldp x3, x5, [x4]', 0xa9401483, { reads: [4], fetches: [3, 5] }],
    ['ldp x3, x5, [x4], #16', 0xa8c11483, { reads: [4], fetches: [3, 5] }],
    ['stp x3, x5, [x4]', 0xa9001483, { reads: [4], stores: [3, 5] }],
    ['str x3, [x4, #8]', 0xf9000483, { reads: [4], stores: [3] }],
    ['ldr w3, [x4, #8]', 0xb9400883, { reads: [4], fetches: [3] }],
    ['ldrsh x3, [x4, #8]', 0x79801083, { reads: [4], fetches: [3] }],
    ['stur x3, [x4, #-8]', 0xf81f8083, { reads: [4], stores: [3] }],
    ['ldr x3, [x4, #8]!', 0xf8408c83, { reads: [4], fetches: [3] }],
    ['str x3, [x4, x5]', 0xf8256883, { reads: [4, 5], stores: [3] }],
    ['ldrb w3, [x4, x5]', 0x38656883, { reads: [4, 5], fetches: [3] }],
    ['ldadd x5, x3, [x4]', 0xf8250083, { reads: [4], stores: [5], fetches: [3] }],
    ['ldapur x3, [x4]', 0xd9400083, { reads: [4], stores: [3], fetches: [3] }],
    ['ldp q3, q5, [x4]', 0xad401483, { reads: [4] }],
    ['ldr q3, [x4, #16]', 0x3dc00483, { reads: [4] }],
    ['stur d3, [x4, #1]', 0xfc001083, { reads: [4] }],
    ['ldr d3, [x4, x5]', 0xfc656883, { reads: [4, 5] }],
    ['ld1 {v3.16b}, [x4]', 0x4c407083, { reads: [4] }],
    ['mrs x3, tpidr_el1', 0xd538d083, { writes: [3] }],
    ['fmov x3, d4', 0x9e660083, { fetches: [3] }],
    ['fcvtzs x3, d4', 0x9e780083, { fetches: [3] }],
    ['umov w3, v4.b[1]', 0x0e033c83, { fetches: [3] }],
    ['fadd d3, d4, d5', 0x1e652883, {}],
    ['br x4', 0xd61f0080, { reads: [4] }],
    ['blr x4', 0xd63f0080, { reads: [4] }],
    ['ret x4', 0xd65f0080, { reads: [4] }],
    ['cbz x4, label', 0xb4000004, {}],
    ['b.eq .', 0x54000000, {}],
    ['nop', 0xd503201f, {}],
    ['msr tpidr_el1, x3', 0xd518d083, {}],
  ] as const)('knows %s', (_, word, use) => {
    expect(registerUse(word)).toEqual({ ...none, ...use });
  });
});

describe('isInterruption', () => {
  it('is said of calls and traps, not of jumps', () => {
    for (const word of [0x94000000, 0xd63f0020, 0xd63f083f, 0xd4210000, 0xd4000001, 0xd4000002]) {
      expect([word.toString(16), isInterruption(word)]).toEqual([word.toString(16), true]);
    }
    for (const word of [0x14000000, 0xd61f0020, 0xd65f03c0, 0xd503201f, 0xf9400020]) {
      expect([word.toString(16), isInterruption(word)]).toEqual([word.toString(16), false]);
    }
  });
});

describe('isDataProcessing', () => {
  it('is said of neither memory accesses, branches nor SIMD', () => {
    for (const word of [0xd2800000, 0x91000400, 0x8b020020, 0x9b020c20, 0x9a820020, 0x93c20420]) {
      expect([word.toString(16), isDataProcessing(word)]).toEqual([word.toString(16), true]);
    }
    for (const word of [0xf9400020, 0xa9400820, 0x14000000, 0x54000000, 0xd503201f, 0x4e080c20, 0xc8dffc20]) {
      expect([word.toString(16), isDataProcessing(word)]).toEqual([word.toString(16), false]);
    }
  });
});
