import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { MappingError } from '../../../lib/errors.js';
import {
  checkMappable,
  contiguousEntries,
  levelName,
  levelSize,
  tableEntries,
  tableIndex,
  translationRegime,
} from '../../../lib/mmu/translation-regime.js';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** [page size, VA bits, root level, entries of the root], from Documentation/arch/arm64/memory.rst and the Arm ARM. */
const GEOMETRIES = [
  [4 * KIB, 39, 1, 512],
  [4 * KIB, 48, 0, 512],
  [4 * KIB, 52, -1, 16],
  [16 * KIB, 36, 2, 2048],
  [16 * KIB, 47, 1, 2048],
  [16 * KIB, 48, 0, 2],
  [16 * KIB, 52, 0, 32],
  [64 * KIB, 42, 2, 8192],
  [64 * KIB, 48, 1, 64],
  [64 * KIB, 52, 1, 1024],
] as const;

describe('translationRegime', () => {
  it.each(GEOMETRIES)(
    '%i-byte pages and %i VA bits: root at level %i with %i entries',
    (pageSize, vaBits, level, n) => {
      const regime = translationRegime({ pageSize, vaBits });
      expect(regime.startLevel).toBe(level);
      expect(tableEntries(regime, level)).toBe(n);
      expect(tableIndex(regime, level, va(-(2 ** vaBits)))).toBe(0);
      expect(tableIndex(regime, level, va(-1))).toBe(n - 1);
      expect(tableIndex(regime, 3, va(-1))).toBe(pageSize / 8 - 1);
      expect(levelName(regime, level)).toBe('PGD');
      expect(levelName(regime, 3)).toBe('PTE');
    },
  );

  it.each([
    [4 * KIB, [GIB, 2 * MIB], [32 * MIB, 64 * KIB]],
    [16 * KIB, [64 * GIB, 32 * MIB], [GIB, 2 * MIB]],
    [64 * KIB, [4096 * GIB, 512 * MIB], [16 * GIB, 2 * MIB]],
  ])('%i-byte pages: blocks of %j, contiguous groups of %j', (pageSize, blocks, groups) => {
    const regime = translationRegime({ pageSize, vaBits: 48 });
    expect([1, 2].map((level) => levelSize(regime, level))).toEqual(blocks);
    expect([2, 3].map((level) => levelSize(regime, level) * contiguousEntries(regime, level))).toEqual(groups);
  });

  it('chooses 52-bit addresses only where the VA bits need them', () => {
    expect(translationRegime({ pageSize: 4096, vaBits: 48 }).format).toBe('48-bit');
    expect(translationRegime({ pageSize: 4096, vaBits: 49 }).format).toBe('lpa2');
    expect(translationRegime({ pageSize: 65536, vaBits: 52 }).format).toBe('52-bit');
    expect(translationRegime({ pageSize: 65536, vaBits: 52, format: '48-bit' }).format).toBe('48-bit');
  });

  it.each([
    { pageSize: 8192, vaBits: 48 },
    { pageSize: 4096, vaBits: 35 },
    { pageSize: 4096, vaBits: 53 },
    { pageSize: 4096, vaBits: 47.5 },
    { pageSize: 4096, vaBits: Number.NaN },
    { pageSize: 4096, vaBits: 52, format: '48-bit' },
    { pageSize: 65536, vaBits: 52, format: 'lpa2' },
    { pageSize: 16384, vaBits: 47, format: '52-bit' },
  ] as const)('refuses %j', (request) => {
    expect(() => translationRegime(request)).toThrow(expect.objectContaining({ code: 'BAD_REGIME' }));
  });
});

describe('checkMappable', () => {
  const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
  const bottom = -(2 ** 48);
  const top = 2 ** 48;

  it.each([
    { va: va(bottom), pa: 0, size: 4096 },
    { va: va(-4096), pa: top - 4096, size: 4096 },
    { va: va(bottom), pa: 0, size: top },
  ])('takes %j', (range) => {
    expect(() => checkMappable(regime, range)).not.toThrow();
  });

  it.each([
    [{ va: va(bottom - 4096), pa: 0, size: 4096 }, 'BAD_RANGE'],
    [{ va: va(-4096), pa: 0, size: 8192 }, 'BAD_RANGE'],
    [{ va: va(0), pa: 0, size: 4096 }, 'BAD_RANGE'],
    [{ va: va(-4096), pa: top, size: 4096 }, 'BAD_RANGE'],
    [{ va: va(-4096), pa: -4096, size: 4096 }, 'BAD_RANGE'],
    [{ va: va(-4096), pa: Number.NaN, size: 4096 }, 'BAD_RANGE'],
    [{ va: va(-4096), pa: 0, size: 0 }, 'BAD_RANGE'],
    [{ va: va(-4096), pa: 0, size: 2048 }, 'MISALIGNED'],
    [{ va: va(-6144), pa: 0, size: 4096 }, 'MISALIGNED'],
    [{ va: va(-4096), pa: 2048, size: 4096 }, 'MISALIGNED'],
  ])('refuses %j: %s', (range, code) => {
    expect(() => checkMappable(regime, range)).toThrow(MappingError);
    expect(() => checkMappable(regime, range)).toThrow(expect.objectContaining({ code }));
  });

  it('reaches 52 bits of physical memory with LPA2', () => {
    const wide = translationRegime({ pageSize: 4096, vaBits: 48, format: 'lpa2' });
    expect(() => checkMappable(wide, { va: va(-4096), pa: 2 ** 52 - 4096, size: 4096 })).not.toThrow();
  });
});
