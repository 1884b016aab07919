import { describe, expect, it } from '@jest/globals';
import { MappingError } from '../../../lib/errors.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';

const regime = translationRegime({ pageSize: 4096, vaBits: 48 });

describe('TableSet', () => {
  it('starts as one empty root and grows page by page, keeping what was written', () => {
    const tables = new TableSet({ regime, root: 0x40000000 });
    tables.write(0x40000ff8, 0xfedcba9876543210n);
    const added = [tables.allocate(), tables.allocate(), tables.allocate()];
    expect(added).toEqual([0x40001000, 0x40002000, 0x40003000]);
    expect(tables.pages).toBe(4);
    expect(tables.bytes.length).toBe(4 * 4096);
    expect(tables.read(0x40000ff8)).toBe(0xfedcba9876543210n);
    expect([...tables.bytes.subarray(0xff8, 0x1000)]).toEqual([0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]);
  });

  it('takes over tables that exist, as a copy', () => {
    const contents = new Uint8Array(8192);
    contents[4096] = 7;
    const tables = new TableSet({ regime, root: 0, contents });
    contents[4096] = 8;
    expect(tables.read(4096)).toBe(7n);
    expect(tables.allocate()).toBe(8192);
  });

  it('stops at its capacity', () => {
    const tables = new TableSet({ regime, root: 0, capacity: 3 });
    tables.allocate();
    tables.allocate();
    expect(() => tables.allocate()).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    expect(tables.pages).toBe(3);
    const contents = new Uint8Array(4 * 4096);
    expect(() => new TableSet({ regime, root: 0, capacity: 3, contents })).toThrow(MappingError);
  });

  it.each([0x3ffffff8, 0x40001000, 0x40000004, Number.NaN])('has no word at %d', (address) => {
    const tables = new TableSet({ regime, root: 0x40000000 });
    expect(() => tables.read(address)).toThrow(expect.objectContaining({ code: 'BAD_TABLE' }));
    expect(() => tables.write(address, 0n)).toThrow(expect.objectContaining({ code: 'BAD_TABLE' }));
  });

  it.each([
    { root: 0x800 },
    { root: -4096 },
    { root: 0.5 },
    { root: 0, contents: new Uint8Array(0) },
    { root: 0, contents: new Uint8Array(4097) },
  ])('refuses %j', (setup) => {
    expect(() => new TableSet({ regime, ...setup })).toThrow(expect.objectContaining({ code: 'MISALIGNED' }));
  });

  it('ends where descriptors can still point to it', () => {
    const tables = new TableSet({ regime, root: 2 ** 48 - 8192 });
    expect(tables.allocate()).toBe(2 ** 48 - 4096);
    expect(() => tables.allocate()).toThrow(expect.objectContaining({ code: 'BAD_RANGE' }));
    expect(() => new TableSet({ regime, root: 2 ** 48 })).toThrow(expect.objectContaining({ code: 'BAD_RANGE' }));
  });

  it('folds address bits 51 to 48 into the low bits of TTBR1_EL1, with 52-bit addresses only', () => {
    const root = 2 ** 51 + 2 ** 48 + 2 ** 30;
    const lpa2 = translationRegime({ pageSize: 4096, vaBits: 52 });
    expect(new TableSet({ regime: lpa2, root }).ttbr).toBe(0x40000024n);
    expect(new TableSet({ regime, root: 2 ** 30 }).ttbr).toBe(0x40000000n);
  });
});
