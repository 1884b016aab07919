import { beforeEach, describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { openKernel } from '../../../lib/image/kernel.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { place } from '../../../lib/kaslr/place.js';
import { loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { ModuleLoader } from '../../../lib/module/module-loader.js';
import { AllocationCheck } from '../../../scripts/conformance/allocation-check.js';
import { findBoundaries } from '../../../scripts/conformance/boot-facts.js';
import { passed } from '../../../scripts/conformance/check.js';
import { GdbClient } from '../../../scripts/conformance/gdb-client.js';
import { ModuleCheck } from '../../../scripts/conformance/module-check.js';
import { type ModuleRecording, readModuleName, recordModule } from '../../../scripts/conformance/module-recording.js';
import { flippedBits } from '../../../scripts/conformance/tamper.js';
import { readSample } from '../../support/sample.js';
import { DEVICE_TREE, PHYS, SEED } from './fake-boot.js';
import { type FakeModule, fakeModule, openSample } from './fake-module.js';
import { FakeStub } from './fake-stub.js';

const kernel = await openKernel(readSample('6.12/vmlinux'));
const { era, imageSize, linkBase } = kernel;
const machine = { era, geometry: geometryOf(kernel), imageSize, linkBase, phys: BigInt(PHYS) };
const placement = place(machine, { seed: SEED });
const facts = {
  kernel,
  seed: SEED,
  phys: PHYS,
  deviceTree: DEVICE_TREE,
  memory: { start: 0x40000000, size: 2 ** 30 },
  placement,
  vaBits: 48,
  boundaries: findBoundaries(kernel, placement),
};
/** Out of every branch's reach: PLTs are used. */
const REGION = va(placement.text - 2 ** 30);

/** Loads as a kernel would, from the same rules: what is tested is the way from memory to the verdict. */
const kernelLoader = (): ModuleLoader =>
  new ModuleLoader({
    environment: {
      rule: loaderRuleOf(kernel.banner),
      pageSize: 4096,
      kallsyms: 'functions',
      moduleUnload: true,
      erratum843419: false,
    },
    kernelExport: (name) => {
      const address = kernel.exports().get(name);
      return address === undefined ? undefined : va(address + placement.offset);
    },
    image: { start: placement.text, end: placement.end },
    regions: [{ kind: 'plt', base: REGION, end: va(REGION + 2 ** 31) }],
    keepInit: true,
  });

async function record({ file, memory, registers }: FakeModule): Promise<ModuleRecording> {
  return recordModule(await GdbClient.connect(new FakeStub({ memory, registers }).stream), file);
}

let modules: FakeModule[];
let allocation: AllocationCheck;
let check: ModuleCheck;

beforeEach(() => {
  const loader = kernelLoader();
  modules = ['exporter', 'importer', 'percpu', 'many_calls'].map((name) => fakeModule(loader, name));
  allocation = new AllocationCheck(facts);
  check = new ModuleCheck(facts, allocation, false);
});

describe('recordModule', () => {
  it('reads what is in memory', async () => {
    const module = modules[2]!;
    const gdb = await GdbClient.connect(new FakeStub({ memory: module.memory, registers: module.registers }).stream);
    expect(await readModuleName(gdb, 'x2')).toBe('percpu');
    const { sections, pltEntries, percpu } = await recordModule(gdb, module.file);
    const text = module.loaded.sections.find(({ name }) => name === '.text')!;
    expect(sections.find(({ name }) => name === '.text')).toMatchObject({ address: text.address, index: text.index });
    expect(sections.map(({ name }) => name)).not.toContain('.gnu.linkonce.this_module');
    expect(pltEntries).toEqual({ core: module.loaded.plt.core.used, init: module.loaded.plt.init.used });
    expect(percpu).toBeDefined();
  });

  it('does without counters that struct module shows twice', async () => {
    const module = modules[3]!;
    const struct = module.memory.at(-1)!.bytes;
    struct.set(struct.slice(0x2a8, 0x2c0), 0x400);
    expect((await record(module)).pltEntries).toBeUndefined();
  });
});

describe('ModuleCheck', () => {
  it('passes modules that are as they should be, and where', async () => {
    for (const module of modules) check.add(module.file, await record(module));
    const { mismatches, compared, modules: count } = check.finish();
    expect(mismatches).toEqual([]);
    expect(count).toBe(4);
    expect(compared).toBeGreaterThan(20);
    expect(allocation.finish()).toMatchObject({ mismatches: [] });
    expect(passed(allocation.finish())).toBe(true);
  });

  it.each(['.text', '.plt', '.rodata'])('finds a changed bit of %s', async (name) => {
    const module = modules[0]!;
    const { address } = module.loaded.sections.find((section) => section.name === name && section.bytes.length > 0)!;
    module.memory.find((region) => region.address === address)!.bytes[5]! ^= 1;
    check.add(module.file, await record(module));
    const { mismatches, mismatchCount } = check.finish();
    expect(mismatchCount).toBe(1);
    expect(mismatches[0]).toMatch(new RegExp(`^exporter: \\${name}\\+0x4: kaslrkit says .*; 1 bytes differ$`));
  });

  it('finds a section that is elsewhere or longer', async () => {
    const module = modules[1]!;
    const recording = await record(module);
    const [first, ...rest] = recording.sections;
    check.add(modules[0]!.file, await record(modules[0]!));
    check.add(module.file, {
      ...recording,
      sections: [
        { ...first!, address: va(first!.address + 16) },
        { ...rest[0]!, bytes: new Uint8Array(rest[0]!.bytes.length + 1) },
        ...rest.slice(1),
      ],
    });
    expect(check.finish().mismatches).toEqual([
      expect.stringMatching(/^importer: .*: kaslrkit says 0xffff.*, the kernel 0xffff/),
      expect.stringMatching(/^importer: .*: kaslrkit says \d+ bytes, the kernel \d+$/),
    ]);
  });

  it('finds another count of PLT entries', async () => {
    const module = modules[3]!;
    const recording = await record(module);
    const { core, init } = recording.pltEntries!;
    expect(core).toBeGreaterThan(0);
    check.add(module.file, { ...recording, pltEntries: { core: core + 1, init } });
    expect(check.finish().mismatches).toEqual([
      `many_calls: kaslrkit says ${core} core PLT entries, the kernel ${core + 1}`,
    ]);
  });

  it('takes a refusal by kaslrkit of what the kernel loads for a mismatch', async () => {
    check.add(modules[1]!.file, await record(modules[1]!));
    expect(check.finish().mismatches).toEqual([expect.stringMatching(/^importer: kaslrkit refuses it: /)]);
  });

  it('notes what the kernel refuses, and does not pass if that is all', () => {
    check.refused('pic');
    expect([...check.finish().explained]).toEqual([['refused by the kernel: pic', 1]]);
    expect(passed(check.finish())).toBe(false);
  });

  it("finds the self-test's fault, once", async () => {
    const tamper = flippedBits();
    for (const module of modules) {
      const recording = await record(module);
      tamper.module(recording);
      check.add(module.file, recording);
    }
    expect(check.finish().mismatchCount).toBe(1);
  });
});

describe('AllocationCheck', () => {
  const sizes = new Map([
    ['text', 5000],
    ['data', 1],
    ['rodata', 0],
    ['init_text', 4096],
  ] as const);

  it('follows first fit from the first module on: a guard page behind each region', () => {
    allocation.add(
      'a',
      sizes,
      new Map([
        ['text', va(REGION)],
        ['data', va(REGION + 0x3000)],
        ['init_text', va(REGION + 0x5000)],
      ]),
    );
    allocation.add('b', new Map([['text', 4096]]), new Map([['text', va(REGION + 0x7000)]]));
    expect(allocation.finish()).toMatchObject({ compared: 4, mismatchCount: 0 });
  });

  it('sees an address that first fit would not give', () => {
    allocation.add(
      'a',
      sizes,
      new Map([
        ['text', va(REGION)],
        ['data', va(REGION + 0x2000)],
      ]),
    );
    expect(allocation.finish().mismatches).toEqual([
      expect.stringMatching(/^a: kaslrkit puts data at 0x.*3000, the kernel at 0x.*2000$/),
    ]);
  });

  it('knows the region itself where the seed decides it', () => {
    const fixed = { ...facts, placement: { ...placement, modules: { base: REGION, end: va(REGION + 2 ** 27) } } };
    const decided = new AllocationCheck(fixed);
    decided.add('a', new Map([['text', 4096]]), new Map([['text', va(REGION + 0x1000)]]));
    expect(decided.finish().mismatchCount).toBe(1);
  });
});

describe('samples', () => {
  it('are what the tests take them for', () => {
    expect(openSample('importer').modinfo.depends).toEqual(['exporter']);
  });

  it('gives back what a module held that the kernel gave up', () => {
    const one = (address: number) => new Map([['text', va(address)]] as const);
    const size = new Map([['text', 4096]] as const);
    allocation.add('a', size, one(REGION));
    allocation.add('b', size, one(REGION + 0x2000));
    allocation.release('a');
    allocation.release('none');
    allocation.add('c', size, one(REGION));
    allocation.add('d', size, one(REGION + 0x4000));
    expect(passed(allocation.finish())).toBe(true);
  });
});
