/** Kernels before 6.0 run twice: what the first run, at the link address, leaves behind is known, too. */
import { describe, expect, it } from '@jest/globals';
import { toU64 } from '../../../lib/address.js';
import type { BootFacts } from '../../../scripts/conformance/boot-facts.js';
import { checkImage, expectedImage } from '../../../scripts/conformance/image-check.js';
import { writeU64 } from '../../support/reference-self-relocation.js';
import { BASES, fakeBoot, fakeKernel, OBJECTS, PHYS, SEED } from './fake-boot.js';

const NAMES = ['boot_args', '__boot_cpu_mode', 'arm64_use_ng_mappings', '__pi_memstart_offset_seed'];

const old = fakeBoot(await fakeKernel({ version: '5.10', hidden: NAMES }));
const recent = fakeBoot(await fakeKernel({ hidden: NAMES }));

function outcome(boot: BootFacts, offset: number, word: bigint): [number, string[]] {
  const memory = expectedImage(boot);
  writeU64(memory, offset, word);
  const { mismatchCount, explained } = checkImage(boot, expectedImage(boot), memory);
  return [mismatchCount, [...explained.keys()]];
}

const baseOf = ({ placement: { modules } }: BootFacts): bigint => ('base' in modules ? toU64(modules.base) : 0n);

describe('before 6.0', () => {
  it.each([
    ['stack of the first run', OBJECTS._data + 0x3ff8, 0x1234_5678n],
    ['virtual less physical address, at the link address', 0x51000 + 0x4000, BASES['5.10'] - BigInt(PHYS)],
    ['seed of the linear map', 0x5f000, SEED >> 48n],
    ['base of the module region', 0x5f000, baseOf(old)],
    ['VA bits', 0x5f000, 48n],
  ])('%s', (reason, offset, word) => {
    expect(outcome(old, offset, word)).toEqual([0, [reason]]);
  });

  it('the stack ends after 16K', () => {
    expect(outcome(old, OBJECTS._data + 0x4000, 0x1234_5678n)).toEqual([1, []]);
  });

  it('and after, it has no first run', () => {
    expect(outcome(recent, OBJECTS._data, 0x1234_5678n)).toEqual([1, []]);
    expect(outcome(recent, 0x5f000, BASES['6.12'] - BigInt(PHYS))).toEqual([1, []]);
  });
});
