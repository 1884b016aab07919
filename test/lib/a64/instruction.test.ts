import { describe, expect, it } from '@jest/globals';
import * as a64 from '../../../lib/a64/instruction.js';

/** Words as GNU as 2.40 and llvm-mc 14 assemble them. */
describe('instruction builders', () => {
  it('build what the assemblers do', () => {
    expect(a64.adr({ rd: 3, distance: 0xfffff })).toBe(0x707fffe3);
    expect(a64.adr({ rd: 3, distance: -0x100000 })).toBe(0x10800003);
    expect(a64.adrp({ rd: 16, distance: 0xfffff })).toBe(0xf07ffff0);
    expect(a64.adrp({ rd: 16, distance: -0x100000 })).toBe(0x90800010);
    expect(a64.adrp({ rd: 5, distance: 1 })).toBe(0xb0000005);
    expect(a64.addImmediate({ rd: 16, imm12: 0xfff })).toBe(0x913ffe10);
    expect(a64.addImmediate({ rd: 7, imm12: 1 })).toBe(0x910004e7);
    expect(a64.branch(0x7fffffc)).toBe(0x15ffffff);
    expect(a64.branch(-0x8000000)).toBe(0x16000000);
    expect(a64.branchRegister(16)).toBe(0xd61f0200);
    expect(a64.branchRegister(30)).toBe(0xd61f03c0);
    expect(a64.movn({ rd: 16, imm16: 0x1234, shift: 0 })).toBe(0x92824690);
    expect(a64.movk({ rd: 16, imm16: 0xabcd, shift: 16 })).toBe(0xf2b579b0);
    expect(a64.movk({ rd: 9, imm16: 0xffff, shift: 32 })).toBe(0xf2dfffe9);
  });

  it('build nothing one step beyond the reach', () => {
    expect(a64.adr({ rd: 0, distance: 0x100000 })).toBeUndefined();
    expect(a64.adr({ rd: 0, distance: -0x100001 })).toBeUndefined();
    expect(a64.adrp({ rd: 0, distance: 0x100000 })).toBeUndefined();
    expect(a64.adrp({ rd: 0, distance: -0x100001 })).toBeUndefined();
    expect(a64.branch(0x8000000)).toBeUndefined();
    expect(a64.branch(-0x8000004)).toBeUndefined();
  });
});

describe('instruction decoders', () => {
  it('tell ADRP from its neighbours in the encoding', () => {
    expect(a64.isAdrp(0x90000010)).toBe(true);
    expect(a64.isAdrp(0xf07ffff0)).toBe(true);
    expect(a64.isAdrp(0x10000010)).toBe(false); // ADR
    expect(a64.isAdrp(0x91000210)).toBe(false); // ADD
    expect(a64.isAdrp(0xd4202000)).toBe(false); // BRK
  });

  it.each([-0x100000, -1, 0, 1, 0xfffff])('read back an ADRP over %d pages', (distance) => {
    const word = a64.adrp({ rd: 21, distance })!;
    expect(a64.adrpDistance(word)).toBe(distance * 4096);
    expect(a64.destinationRegister(word)).toBe(21);
  });
});
