import { describe, expect, it } from '@jest/globals';
import { entropyOf } from '../../../lib/entropy/entropy.js';
import { ERAS, eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import type { Machine } from '../../../lib/kaslr/place.js';
import { codeOf } from '../../support/thrown.js';

const machineOf = (key: string, vaBits = 48, given: Partial<Machine> = {}, cpu?: number): Machine => ({
  era: eraByKey(key),
  geometry: geometryOf({ pageSize: 4096, vaBits }, cpu),
  imageSize: 0x2500000,
  etext: 0x1000000,
  ...given,
});

const KEYS = ERAS.map(({ key }) => key);
const PAGES_OF_WINDOW = (2 ** 31 - 0x2500000) / 4096 + 1;

describe('entropyOf', () => {
  it('counts 2^25 slots of 2 MiB with 48 VA bits and 2^16 with 39 up to 6.8, a little less from 6.9', () => {
    const kernel = (key: string, vaBits: number, cpu?: number) =>
      entropyOf(machineOf(key, vaBits, {}, cpu)).regions.kernel;
    for (const key of ['4.17', '5.4', '6.0', '6.5']) {
      expect(kernel(key, 48)).toEqual({ slots: 2 ** 25, bits: 25, minBits: 25 });
      expect(kernel(key, 39)).toEqual({ slots: 2 ** 16, bits: 16, minBits: 16 });
    }
    for (const key of ['6.9', '6.16']) {
      expect(kernel(key, 48).bits).toBeCloseTo(24.98, 2);
      expect(kernel(key, 52).bits).toBeCloseTo(24.98, 2);
      expect(kernel(key, 52, 52).bits).toBeCloseTo(24.04, 2);
      expect(kernel(key, 39).bits).toBeCloseTo(15.96, 2);
    }
  });

  it('tells likelier slots apart where images are moved off boundaries', () => {
    // 37 MiB take 19 slots of the 512 between boundaries: 18 starts straddle one, one more ends on it.
    const added = entropyOf(machineOf('4.6')).regions.kernel;
    expect(added.slots).toBe(2 ** 25 - (2 ** 25 / 512) * 18);
    expect(added.minBits).toBe(24);
    // From 4.12 they all move to the boundary itself, which has its own value besides.
    const rounded = entropyOf(machineOf('4.12')).regions.kernel;
    expect(rounded.slots).toBe(added.slots);
    expect(rounded.minBits).toBeCloseTo(25 - Math.log2(19), 10);
  });

  it.each(KEYS)('never leaves more than there was, and the same in both directions: %s', (key) => {
    for (const fullRegion of [true, false]) {
      const { regions, leak } = entropyOf(machineOf(key, 48, { fullRegion }));
      const { kernel, modules, linearMap } = regions;
      expect(leak.kernelPointer.modules.bits).toBeLessThanOrEqual(modules.bits);
      expect(leak.modulePointer.kernel.bits).toBeLessThanOrEqual(kernel.bits);
      expect(leak.modulePointer.kernel.slots).toBeLessThanOrEqual(kernel.slots);
      expect(kernel.minBits).toBeLessThanOrEqual(kernel.bits);
      expect(kernel.bits).toBeLessThanOrEqual(Math.log2(kernel.slots) + 1e-9);
      // What a pointer tells of the other is the same from either side.
      const told = [kernel.bits - leak.modulePointer.kernel.bits, modules.bits - leak.kernelPointer.modules.bits];
      expect(told[0]).toBeCloseTo(told[1]!, 9);
      if (linearMap) {
        expect(leak.linearMapPointer!.kernel.bits).toBeCloseTo(kernel.bits, 9);
        expect(leak.linearMapPointer!.modules.bits).toBeCloseTo(modules.bits, 9);
        expect(leak.kernelPointer.linearMap!.bits).toBeCloseTo(linearMap.bits, 9);
      }
    }
  });

  it('has no linear map to tell of from 6.16 on', () => {
    const withMap = KEYS.filter((key) => entropyOf(machineOf(key)).regions.linearMap);
    expect(withMap).toEqual(KEYS.filter((key) => key !== '6.16'));
    expect(entropyOf(machineOf('6.16')).leak).not.toHaveProperty('linearMapPointer');
  });

  it('draws the window of the modules page by page from 6.5 on', () => {
    const { leak } = entropyOf(machineOf('6.5'));
    expect(leak.kernelPointer.modules).toEqual({ slots: PAGES_OF_WINDOW, bits: Math.log2(PAGES_OF_WINDOW) });
    expect(leak.modulePointer.kernel.slots).toBe(Math.ceil(PAGES_OF_WINDOW / 512));
    expect(leak.modulePointer.kernel.bits).toBeCloseTo(Math.log2(PAGES_OF_WINDOW / 512), 3);
  });

  it('scales 21 bits over the window before, so that some pages are likelier', () => {
    const { leak } = entropyOf(machineOf('6.0'));
    const evenly = Math.log2(leak.kernelPointer.modules.slots);
    // `_stext` lies 64 KiB above `_text`, and the last base is short of the window's end.
    expect(leak.kernelPointer.modules.slots).toBe(PAGES_OF_WINDOW - 1 + 16);
    expect(leak.kernelPointer.modules.bits).toBeLessThan(evenly);
    expect(leak.kernelPointer.modules.bits).toBeGreaterThan(evenly - 0.01);
  });

  it('brings modules within 128 MiB of the kernel without RANDOMIZE_MODULE_REGION_FULL', () => {
    const direct = entropyOf(machineOf('6.9', 48, { fullRegion: false })).leak;
    expect(direct.kernelPointer.modules.slots).toBe((2 ** 27 - 0x2500000) / 4096 + 1);
    expect(direct.modulePointer.kernel.slots).toBe(46);
    expect(codeOf(() => entropyOf(machineOf('6.0', 48, { fullRegion: false, etext: undefined })))).toBe(
      'MISSING_INPUT',
    );
  });

  it('spreads modules over vmalloc, away from the kernel, before 4.17', () => {
    const { regions, leak } = entropyOf(machineOf('4.6'));
    expect(regions.modules).toEqual({ slots: 2 ** 21, bits: 21, minBits: 21 });
    expect(leak.kernelPointer.modules).toEqual({ slots: 2 ** 21, bits: 21 });
    expect(leak.modulePointer.kernel.bits).toBe(regions.kernel.bits);
  });

  it('leaves nothing of modules to guess with KASAN, and 2 GiB of the kernel, from 4.17 to 5.x', () => {
    const { regions, leak } = entropyOf(machineOf('5.4', 48, { kasan: true }));
    expect(regions.modules).toEqual({ slots: 1, bits: 0, minBits: 0 });
    expect(regions.kernel).toEqual({ slots: 1024, bits: 10, minBits: 10 });
    expect(leak.modulePointer.kernel).toEqual({ slots: 1024, bits: 10 });
    expect(entropyOf(machineOf('6.0', 48, { kasan: true })).regions.kernel.slots).toBe(2 ** 25);
  });

  it('follows the memory that the linear map must hold', () => {
    expect(entropyOf(machineOf('6.0', 39), 8 * 2 ** 30).regions.linearMap!.slots).toBe(248);
    expect(entropyOf(machineOf('6.0', 39), 2 ** 40).regions.linearMap).toEqual({ slots: 1, bits: 0, minBits: 0 });
  });

  it('leaves nothing of the kernel where the direct box has no room to move', () => {
    const machine = machineOf('6.5', 48, { fullRegion: false, imageSize: 2 ** 27 - 4096 + 1 });
    const { kernelPointer, modulePointer } = entropyOf(machine).leak;
    expect(kernelPointer.modules).toEqual({ slots: 1, bits: 0 });
    expect(modulePointer.kernel).toEqual({ slots: 1, bits: 0 });
  });

  it('refuses an image that leaves no room for modules', () => {
    for (const key of ['5.4', '6.9']) {
      expect(codeOf(() => entropyOf(machineOf(key, 48, { imageSize: 2 ** 31 + 2 ** 20 })))).toBe('BAD_LAYOUT');
    }
  });
});
