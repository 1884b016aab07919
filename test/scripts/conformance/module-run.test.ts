import { describe, expect, it } from '@jest/globals';
import type { ModuleFile } from '../../../lib/module/module-file.js';
import { GdbClient } from '../../../scripts/conformance/gdb-client.js';
import type { ModuleRecording } from '../../../scripts/conformance/module-recording.js';
import { runModules } from '../../../scripts/conformance/module-run.js';
import { fakeBoot, fakeKernel, runAddressOf } from './fake-boot.js';
import { openSample } from './fake-module.js';
import { FakeStub } from './fake-stub.js';

const boot = fakeBoot(await fakeKernel());
const at = (name: 'module_finalize' | 'do_init_module' | '__arm64_sys_reboot'): bigint =>
  BigInt.asUintN(64, BigInt(runAddressOf(boot, name)));

const MODULE = -(2 ** 40);
const HEADERS = -(2 ** 40) + 0x10000;
const RETURN = 0xffff_8000_8001_2345n;
const unsigned = (x: number): bigint => BigInt.asUintN(64, BigInt(x));

/** A machine that loads one module, or gives it up; `idleSteps` steps do not run the instruction. */
function machine(name: string, { idleSteps = 0, givesUp = false } = {}) {
  const file = openSample('many_calls');
  const module = Buffer.alloc(0x500, 0);
  module.writeUInt32LE(2, 0);
  module.write(`${name}\0`, 24, 'latin1');
  const memory = [
    { address: MODULE, bytes: module },
    { address: HEADERS, bytes: new Uint8Array(file.elf.sections.length * 64) },
  ];
  const finalize = ({ registers }: FakeStub): string => {
    registers.set('pc', at('module_finalize')).set('x1', unsigned(HEADERS)).set('x2', unsigned(MODULE));
    return 'T05thread:01;';
  };
  const start = ({ registers }: FakeStub): string => {
    if (registers.get('pc') === at('module_finalize')) return 'T05thread:01;';
    registers.set('pc', at('do_init_module')).set('x0', unsigned(MODULE)).set('x30', RETURN);
    return 'T05thread:01;';
  };
  const reboot = ({ registers }: FakeStub): string => {
    if (!givesUp) expect([registers.get('pc'), registers.get('x0')]).toEqual([RETURN, 0n]);
    registers.set('pc', at('__arm64_sys_reboot'));
    return 'T05thread:01;';
  };
  let idle = idleSteps;
  const onStep = ({ registers }: FakeStub): void => {
    if (idle-- <= 0) registers.set('pc', registers.get('pc')! + 4n);
  };
  return {
    file,
    module,
    stub: new FakeStub({
      memory,
      registers: { pc: 0n },
      stops: givesUp ? [finalize, reboot] : [finalize, start, reboot],
      onStep,
    }),
  };
}

/** @param given modules that were dropped are added */
async function run(stub: FakeStub, file: ModuleFile, given: string[] = []): Promise<[string, ModuleRecording][]> {
  const seen: [string, ModuleRecording][] = [];
  const loaded = ({ name }: ModuleFile, recording: ModuleRecording): void => void seen.push([name, recording]);
  const gdb = await GdbClient.connect(stub.stream);
  const dropped = ({ name }: ModuleFile): void => void given.push(name);
  await runModules(boot, gdb, { files: new Map([[file.name, file]]), timeout: 1000, loaded, dropped });
  return seen;
}

describe('runModules', () => {
  it.each([0, 1, 3])(
    'records a module once and makes it live without its init function (%d idle steps)',
    async (idle) => {
      const { file, module, stub } = machine('many_calls', { idleSteps: idle });
      const dropped: string[] = [];
      expect((await run(stub, file, dropped)).map(([name]) => name)).toEqual(['many_calls']);
      expect(dropped).toEqual([]);
      expect(module.readUInt32LE(0)).toBe(0);
      expect(module.toString('latin1', 24, 34)).toBe('many_calls');
      expect(stub.breakpoints).toEqual(
        new Set([at('module_finalize'), at('do_init_module'), at('__arm64_sys_reboot')]),
      );
    },
  );

  it('lets a module pass that is none of ours', async () => {
    const { file, stub } = machine('autofs4');
    expect(await run(stub, file)).toEqual([]);
  });

  it('tells of a module that is given up after it was relocated', async () => {
    const { file, stub } = machine('many_calls', { givesUp: true });
    const dropped: string[] = [];
    expect((await run(stub, file, dropped)).map(([name]) => name)).toEqual(['many_calls']);
    expect(dropped).toEqual(['many_calls']);
  });

  it('does not step for ever', async () => {
    const { file, stub } = machine('many_calls', { idleSteps: 1e9 });
    await expect(run(stub, file)).rejects.toThrow('does not leave 0xffff');
  });

  it('says where a kernel is that does not stop', async () => {
    const { file, stub } = machine('many_calls');
    stub.registers.set('pc', at('module_finalize') + 8n);
    const silent = new FakeStub({ registers: Object.fromEntries(stub.registers) });
    const gdb = await GdbClient.connect(silent.stream);
    const options = { files: new Map([[file.name, file]]), timeout: 20, loaded: () => {}, dropped: () => {} };
    await expect(runModules(boot, gdb, options)).rejects.toThrow(
      'no stop within 0.02 s; the kernel is at module_finalize+0x8, the last module was none',
    );
  });

  it('reports a stop that it did not ask for: a panic', async () => {
    const stub = new FakeStub({ registers: { pc: 0xffff800012345678n }, stops: [() => 'T03thread:01;'] });
    await expect(run(stub, openSample('many_calls'))).rejects.toThrow('stopped at 0xffff800012345678');
  });
});
