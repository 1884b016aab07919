import { describe, expect, it } from '@jest/globals';
import { toU64 } from '../../../lib/address.js';
import { actualText, factsOf, runBootLoader } from '../../../scripts/conformance/boot-entry.js';
import { runAddress, SubjectError } from '../../../scripts/conformance/boot-facts.js';
import { checkStages } from '../../../scripts/conformance/boot-stage.js';
import { GdbClient } from '../../../scripts/conformance/gdb-client.js';
import { UNTOUCHED } from '../../../scripts/conformance/tamper.js';
import { DEVICE_TREE, fakeBoot, fakeKernel, OBJECTS, PHYS, runAddressOf, SEED } from './fake-boot.js';
import { FakeStub } from './fake-stub.js';

const kernel = await fakeKernel();
const subject = { kernel, era: kernel.era, seed: SEED, memory: 2 ** 30 };
const handover = { phys: PHYS, deviceTree: DEVICE_TREE };
const processor = { vaBits: new Map([[4096, 48]]), hasRandomNumbers: false };

describe('runBootLoader', () => {
  const machine = (last: bigint): FakeStub =>
    new FakeStub({
      registers: { pc: 0x40000000n },
      onStep: ({ registers }) => {
        const pc = registers.get('pc')! + 4n;
        registers.set('pc', pc === 0x40000018n ? last : pc);
        if (pc === 0x40000004n) registers.set('x0', BigInt(DEVICE_TREE));
      },
    });

  it('steps into the kernel', async () => {
    const gdb = await GdbClient.connect(machine(BigInt(PHYS)).stream);
    expect(await runBootLoader(gdb)).toEqual(handover);
  });

  it('does not step for ever', async () => {
    const gdb = await GdbClient.connect(machine(0x40000000n).stream);
    await expect(runBootLoader(gdb)).rejects.toThrow('does not enter the kernel');
  });
});

describe('factsOf', () => {
  it('places the kernel where the library does', () => {
    const { placement, boundaries, memory, vaBits, ...rest } = factsOf(subject, handover, processor);
    const expected = fakeBoot(kernel);
    expect([placement.text, placement.end]).toEqual([expected.placement.text, expected.placement.end]);
    expect(boundaries).toEqual(expected.boundaries);
    expect([memory, vaBits]).toEqual([{ start: 0x40000000, size: 2 ** 30 }, 48]);
    expect([rest.phys, rest.deviceTree, rest.seed]).toEqual([PHYS, DEVICE_TREE, SEED]);
  });

  it('refuses a CPU without the page size', () => {
    const none = { ...processor, vaBits: new Map([[16384, 48]]) };
    expect(() => factsOf(subject, handover, none)).toThrow(SubjectError);
  });

  it('refuses random numbers that no seed decides', async () => {
    const random = { ...processor, hasRandomNumbers: true };
    expect(() => factsOf({ ...subject, seed: 0n }, handover, random)).toThrow(SubjectError);
    expect(factsOf(subject, handover, random).placement.text).toBe(fakeBoot(kernel).placement.text);
    const old = await fakeKernel({ version: '5.10' });
    expect(() => factsOf({ ...subject, kernel: old, era: old.era }, handover, random)).toThrow('FEAT_RNG');
  });

  it('names a symbol that the kernel lacks', () => {
    expect(() => runAddress(fakeBoot(kernel), 'start_kernel')).toThrow("the kernel's symbol table has no start_kernel");
  });
});

describe('actualText', () => {
  it.each(['VBAR', 'VBAR_EL1'])('tells from %s', async (register) => {
    const boot = fakeBoot(kernel);
    const registers = { [register]: BigInt.asUintN(64, BigInt(runAddressOf(boot, 'vectors'))) };
    const gdb = await GdbClient.connect(new FakeStub({ registers }).stream);
    expect(await actualText(gdb, kernel)).toBe(boot.placement.text);
  });

  it('tells nothing before there are vectors', async () => {
    const gdb = await GdbClient.connect(new FakeStub({ registers: { VBAR: 0n } }).stream);
    expect(await actualText(gdb, kernel)).toBeUndefined();
  });
});

describe('a kernel that runs elsewhere', () => {
  const boot = fakeBoot(kernel);
  const elsewhere = BigInt.asUintN(64, BigInt(boot.placement.text + 2 ** 21));
  const registers = { pc: 0n, VBAR: elsewhere + BigInt(OBJECTS.vectors) };
  const stages = async (stub: FakeStub) => {
    const gdb = await GdbClient.connect(stub.stream);
    const checks = [];
    const context = { facts: boot, gdb, modules: [], erratum843419: false, timeout: 50, tamper: UNTOUCHED };
    for await (const check of checkStages(context)) checks.push(check);
    return checks;
  };
  const verdict = `kaslrkit says _text is at 0x${toU64(boot.placement.text).toString(16)}; it ran at 0x${elsewhere.toString(16)}`;

  it('is reported with where it ran, and nothing else is compared', async () => {
    const stop = ({ registers: now }: FakeStub): string => {
      now.set('pc', 0x12345678n);
      return 'T03thread:01;';
    };
    const checks = await stages(new FakeStub({ registers, stops: [stop] }));
    expect(checks).toMatchObject([{ name: 'placement', mismatchCount: 1, mismatches: [verdict] }]);
  });

  it('is reported, too, if it never stops', async () => {
    const checks = await stages(new FakeStub({ registers }));
    expect(checks).toMatchObject([{ name: 'placement', mismatches: [verdict] }]);
  });
});
