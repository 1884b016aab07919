/**
 * Tables that the library made, put into the memory of a machine that was never built: read back through the stub they
 * must agree with the plan, and a change of a single bit must not.
 */
import { describe, expect, it } from '@jest/globals';
import { mapKernel } from '../../../lib/mmu/kernel-mapping.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';
import type { BootFacts } from '../../../scripts/conformance/boot-facts.js';
import { passed } from '../../../scripts/conformance/check.js';
import { GdbClient } from '../../../scripts/conformance/gdb-client.js';
import { checkPageTables, compareLeaves, plannedLeaves } from '../../../scripts/conformance/pagetable-check.js';
import { decodeTranslation } from '../../../scripts/conformance/table-walk.js';
import { flippedBits, UNTOUCHED } from '../../../scripts/conformance/tamper.js';
import { fakeBoot, fakeKernel, PHYS } from './fake-boot.js';
import { FakeStub } from './fake-stub.js';

/** TCR_EL1 of Debian 6.12 on a Cortex-A57 (48 bits) and on a CPU with LPA2, as QEMU shows them. */
const TCR_48 = 0x500074b5503510n;
const TCR_LPA2 = 0x85000f6b54c3510n;
const ROOT = 0x42000000;

const kernel = await fakeKernel();

describe('decodeTranslation', () => {
  it.each([
    ['48 bits', TCR_48, 0x4220b000n, { pageSize: 4096, vaBits: 48, format: '48-bit' }, 0x4220b000],
    ['an ASID and CnP', TCR_48, 0x2000041858001n, { pageSize: 4096, vaBits: 48, format: '48-bit' }, 0x41858000],
    ['LPA2', TCR_LPA2, 0x41f16028n, { pageSize: 4096, vaBits: 52, format: 'lpa2' }, 10 * 2 ** 48 + 0x41f16000],
    // TG1 = 3 (64K), IPS = 6 (52 bits), T1SZ = 12.
    [
      '64K pages',
      (3n << 30n) | (6n << 32n) | (12n << 16n),
      0x10000n,
      { pageSize: 65536, vaBits: 52, format: '52-bit' },
      0x10000,
    ],
    ['16K pages', (1n << 30n) | (17n << 16n), 0x8000n, { pageSize: 16384, vaBits: 47, format: '48-bit' }, 0x8000],
  ])('%s', (_, tcr, ttbr1, regime, root) => {
    expect(decodeTranslation(tcr, ttbr1)).toEqual({ regime, root });
  });
});

interface FakeTables {
  readonly bytes: Uint8Array;
  readonly boot: BootFacts;
  readonly check: (facts?: BootFacts) => ReturnType<typeof checkPageTables>;
}

function tablesOf(vaBits: 48 | 52, stage: 'early' | 'final'): FakeTables {
  const boot = fakeBoot(kernel, vaBits);
  const { boundaries } = boot;
  const regime = translationRegime({ pageSize: 4096, vaBits });
  const features = { nonGlobal: stage === 'final' };
  const { tables } = mapKernel({ version: '6.12', stage, regime, boundaries, phys: PHYS, root: ROOT, features });
  const bytes = Uint8Array.from(tables.bytes);
  const registers = { TCR_EL1: vaBits === 48 ? TCR_48 : TCR_LPA2, TTBR1_EL1: tables.ttbr | (5n << 48n) };
  const check = async (facts = boot) => {
    const stub = new FakeStub({ registers, physical: [{ address: ROOT, bytes }], packetSize: 0x1000 });
    return checkPageTables(facts, stage, await GdbClient.connect(stub.stream), UNTOUCHED);
  };
  return { bytes, boot, check };
}

describe('checkPageTables', () => {
  it.each([
    [48, 'early'],
    [48, 'final'],
    [52, 'early'],
    [52, 'final'],
  ] as const)('finds the plan of %d bits, %s, in memory', async (vaBits, stage) => {
    const check = await tablesOf(vaBits, stage).check();
    expect(check.mismatches).toEqual([]);
    expect(check.compared).toBe(
      plannedLeaves(fakeBoot(kernel, vaBits), stage, { nonGlobal: false, guarded: false }).length,
    );
    expect(passed(check)).toBe(true);
  });

  it('sees any bit of any leaf', async () => {
    const { bytes, check } = tablesOf(48, 'early');
    const view = new DataView(bytes.buffer);
    const leaves = Array.from({ length: bytes.length / 8 }, (_, i) => 8 * i).filter(
      (at) => at >= bytes.length - 4096 && (view.getBigUint64(at, true) & 1n) === 1n,
    );
    expect(leaves.length).toBeGreaterThan(50);
    for (const bit of [0, 7, 12, 47, 52, 53, 55]) {
      const at = leaves[(bit * 7) % leaves.length]! + (bit >> 3);
      bytes[at]! ^= 1 << (bit & 7);
      expect((await check()).mismatchCount).toBe(1);
      bytes[at]! ^= 1 << (bit & 7);
    }
    expect((await check()).mismatchCount).toBe(0);
  });

  it('sees a leaf that is non-global among others that are not', async () => {
    const { bytes, check } = tablesOf(48, 'early');
    bytes[bytes.findLastIndex((byte) => byte !== 0) - 6]! ^= 1 << 3;
    expect((await check()).mismatchCount).toBeGreaterThan(0);
  });

  it('sees another regime', async () => {
    const { boot, check } = tablesOf(48, 'early');
    expect((await check({ ...boot, vaBits: 52 })).mismatches).toEqual([
      'kaslrkit says 4K pages, 52 VA bits, lpa2 descriptors, the kernel has 4K pages, 48 VA bits, 48-bit descriptors',
    ]);
  });
});

describe('compareLeaves', () => {
  const leaves = plannedLeaves(fakeBoot(kernel), 'final', { nonGlobal: false, guarded: false });

  it('names leaves that one side lacks', () => {
    const [first, ...rest] = leaves;
    expect(compareLeaves('x', leaves, rest).mismatches).toEqual([expect.stringContaining('the kernel lacks 0xffff')]);
    expect(compareLeaves('x', rest, leaves).mismatches).toEqual([
      expect.stringContaining("not in kaslrkit's plan: 0xffff"),
    ]);
    expect(compareLeaves('x', [first!], [{ ...first!, size: 2 ** 21 }]).mismatchCount).toBe(1);
  });

  it('does not pass without anything to compare', () => {
    expect(passed(compareLeaves('x', [], []))).toBe(false);
  });

  it("finds the self-test's fault", () => {
    expect(compareLeaves('x', leaves, flippedBits().leaves(leaves)).mismatchCount).toBe(1);
  });
});
