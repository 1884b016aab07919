import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { passed } from '../../../scripts/conformance/check.js';
import { checkImage, expectedImage } from '../../../scripts/conformance/image-check.js';
import { readU64, writeU64 } from '../../support/reference-self-relocation.js';
import { DEVICE_TREE, fakeBoot, fakeKernel, OBJECTS, RELOCATED, SEED } from './fake-boot.js';

const boot = fakeBoot(await fakeKernel());
const expected = expectedImage(boot);
/** As a kernel without CONFIG_KALLSYMS_ALL. */
const unnamed = fakeBoot(
  await fakeKernel({ hidden: ['boot_args', '__boot_cpu_mode', 'arm64_use_ng_mappings', '__pi_memstart_offset_seed'] }),
);

/** The check of an image in which 64-bit words have been replaced. */
function check(words: Readonly<Record<number, bigint>>, facts = boot) {
  const memory = expectedImage(facts);
  for (const [offset, word] of Object.entries(words)) writeU64(memory, Number(offset), word);
  return checkImage(facts, expectedImage(facts), memory);
}

describe('an image that is as it should be', () => {
  it('is compared whole', () => {
    expect(checkImage(boot, expected, expected)).toMatchObject({ compared: OBJECTS._end / 8, mismatchCount: 0 });
    expect(passed(checkImage(boot, expected, expected))).toBe(true);
  });

  it('has been relocated: the file is not', () => {
    expect(readU64(expected, RELOCATED)).toBe(BigInt.asUintN(64, BigInt(boot.placement.text) + 0x1234n));
    expect(checkImage(boot, expected, boot.kernel.image)).toMatchObject({ mismatchCount: 1 });
  });
});

describe('a flipped bit', () => {
  it.each([
    ['with data symbols', boot],
    ['with functions alone', unnamed],
  ])('is found wherever it is, %s', (_, facts) => {
    const whole = expectedImage(facts);
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 7 }), (offset, bit) => {
        fc.pre(offset !== OBJECTS.arm64_use_ng_mappings);
        const memory = whole.slice();
        memory[offset]! ^= 1 << bit;
        const { mismatchCount, mismatches } = checkImage(facts, whole, memory);
        expect(mismatchCount).toBe(1);
        expect(mismatches[0]).toContain(`0x${(offset & ~7).toString(16)} (`);
      }),
    );
  });

  it('is reported with symbol and both words', () => {
    expect(check({ 196872: 7n }).mismatches).toEqual([
      '0x30108 (__primary_switched+0x8): kaslrkit says 0x0000000000000000, memory has 0x0000000000000007',
    ]);
  });
});

/** What early boot writes: where, what, the reason; and what may not stand there. */
const WRITES: [reason: string, offset: number, word: bigint, wrong: bigint][] = [
  ['translation tables', OBJECTS.swapper_pg_dir + 0xde0, 0x10000000426d7003n, 0x10000000926d7003n],
  ['translation tables', OBJECTS.__inittext_end, 0xc0000040400781n, 0xc0000040400780n],
  ['device tree address', OBJECTS.boot_args, BigInt(DEVICE_TREE), BigInt(DEVICE_TREE) + 8n],
  ['exception level at boot', OBJECTS.__boot_cpu_mode, 0xe1100000e12n, 0xe13n],
  ['exception level at boot', OBJECTS.__boot_cpu_mode, 0x100000e12n, 0x200000e12n],
  ['seed of the linear map', OBJECTS.__pi_memstart_offset_seed, SEED & 0xffffn, SEED & 0xfffn],
  ['use of non-global mappings', OBJECTS.arm64_use_ng_mappings, 1n, 2n],
];

describe('what early boot writes', () => {
  it.each(WRITES)('%s at 0x%x', (reason, offset, word, wrong) => {
    const right = check({ [offset]: word });
    expect(right.mismatchCount).toBe(0);
    expect([...right.explained]).toEqual([[reason, 1]]);
    expect(check({ [offset]: wrong })).toMatchObject({ mismatchCount: 1, explained: new Map() });
  });

  it.each(WRITES)('%s (at 0x%x) may stand nowhere else', (_, __, word) => {
    expect(check({ 180224: word }).mismatchCount).toBe(1);
  });

  it('ends where the object ends', () => {
    const descriptor = 0x426d7003n;
    expect(check({ [OBJECTS.end_of_tables - 8]: descriptor }).mismatchCount).toBe(0);
    expect(check({ [OBJECTS.end_of_tables]: descriptor }).mismatchCount).toBe(1);
    expect(check({ [OBJECTS.swapper_pg_dir - 8]: descriptor }).mismatchCount).toBe(1);
  });

  it('is told by its value alone where data has no names, but for values that are no evidence', () => {
    expect(check({ 331776: BigInt(DEVICE_TREE) }, unnamed).mismatchCount).toBe(0);
    expect(check({ 331776: 0x90000000n }, unnamed).mismatchCount).toBe(1);
    expect(check({ 331776: 1n }, unnamed).mismatchCount).toBe(1);
  });

  it('takes pointer signing for the shadow call stack, each by its own', () => {
    const [paciasp, autiasp, push, pop] = [0xd503233fn, 0xd50323bfn, 0xf800865en, 0xf85f8e5en];
    const at = 0x12000;
    const before = expected.slice();
    writeU64(before, at, paciasp | (autiasp << 32n));
    const memory = before.slice();
    const outcome = (word: bigint): number => {
      writeU64(memory, at, word);
      return checkImage(boot, before, memory).mismatchCount;
    };
    expect(outcome(push | (pop << 32n))).toBe(0);
    expect(outcome(push | (autiasp << 32n))).toBe(0);
    expect(outcome(pop | (push << 32n))).toBe(1);
  });
});
