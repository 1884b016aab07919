/**
 * User space: the init program loads module after module, each stopped at module_finalize() to be recorded and at
 * do_init_module() to be made live without running its init function, which would look for hardware that is not there.
 */
import { toU64, type Va, vaFromBigInt } from '../../lib/address.js';
import type { ModuleFile } from '../../lib/module/module-file.js';
import { type BootFacts, runAddress } from './boot-facts.js';
import { type GdbClient, GdbError, GdbTimeout } from './gdb-client.js';
import { type ModuleRecording, readModuleName, recordModule } from './module-recording.js';
import { nameOffset } from './symbol-range.js';

/** MODULE_STATE_LIVE, the first member of struct module. */
const LIVE = new Uint8Array(4);
const STEP_ATTEMPTS = 100;

/**
 * Runs to the init program's last system call, reboot(2).
 * @param timeout milliseconds between two stops
 * @param loaded called with each module at module_finalize()
 * @param dropped called with a module that the kernel gave up after that, before the next is loaded
 * @throws GdbTimeout, GdbError if the kernel panics before
 */
export async function runModules(
  facts: BootFacts,
  gdb: GdbClient,
  options: {
    readonly files: ReadonlyMap<string, ModuleFile>;
    readonly timeout: number;
    readonly loaded: (file: ModuleFile, recording: ModuleRecording) => void;
    readonly dropped: (file: ModuleFile) => void;
  },
): Promise<void> {
  const finalize = runAddress(facts, 'module_finalize');
  const start = runAddress(facts, 'do_init_module');
  const reboot = runAddress(facts, '__arm64_sys_reboot');
  for (const address of [finalize, start, reboot]) await gdb.insertBreakpoint(address);
  let last = 'none';
  let relocated: ModuleFile | undefined;
  for (;;) {
    await runOn(facts, gdb, options.timeout, last);
    const pc = await gdb.readRegister('pc');
    if (relocated && pc !== toU64(start)) options.dropped(relocated);
    relocated = undefined;
    if (pc === toU64(reboot)) return;
    if (pc === toU64(finalize)) {
      last = await readModuleName(gdb, 'x2');
      relocated = options.files.get(last);
      if (relocated) options.loaded(relocated, await recordModule(gdb, relocated));
      await stepOff(gdb, finalize);
    } else if (pc === toU64(start)) await skipInit(gdb);
    else throw new GdbError(`the kernel stopped at 0x${pc.toString(16)}, before its last system call`);
  }
}

/** Runs to the next stop; a machine that does not come to one is asked where it is. */
async function runOn({ kernel, placement }: BootFacts, gdb: GdbClient, timeout: number, last: string): Promise<void> {
  try {
    await gdb.continue(timeout);
  } catch (error) {
    if (!(error instanceof GdbTimeout)) throw error;
    await gdb.interrupt();
    const pc = await gdb.readRegister('pc');
    const offset = Number(pc - toU64(placement.text));
    const where = offset >= 0 && offset < kernel.imageSize ? nameOffset(kernel, offset) : `0x${pc.toString(16)}`;
    throw new GdbTimeout(`no stop within ${timeout / 1000} s; the kernel is at ${where}, the last module was ${last}`);
  }
}

/**
 * Leaves a breakpoint, which would stop the machine again where it stands.
 * QEMU now and then answers a step without having run the instruction (an event of the machine came in between).
 */
async function stepOff(gdb: GdbClient, breakpoint: Va): Promise<void> {
  for (let attempt = 0; attempt < STEP_ATTEMPTS; attempt++) {
    await gdb.step();
    if ((await gdb.readRegister('pc')) !== toU64(breakpoint)) return;
  }
  throw new GdbError(`the machine does not leave 0x${toU64(breakpoint).toString(16)}`);
}

/** Returns 0 from do_init_module(mod), which has not begun, with the module live for those that depend on it. */
async function skipInit(gdb: GdbClient): Promise<void> {
  const module: Va = vaFromBigInt(await gdb.readRegister('x0'));
  await gdb.writeMemory(module, LIVE);
  await gdb.writeRegister('x0', 0n);
  await gdb.writeRegister('pc', await gdb.readRegister('x30'));
}
