/**
 * One boot: a kernel under QEMU with a given seed, stopped where it can be compared with what kaslrkit says of that seed.
 *
 * Stops: entry (facts) - __primary_switched at the predicted address (image, early tables) - each module -
 * reboot(2), the init program's last call (final tables).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatVa, toU64, type Va } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import { actualText, factsOf, runBootLoader } from './boot-entry.js';
import { type BootFacts, runAddress } from './boot-facts.js';
import { type Check, CheckBuilder } from './check.js';
import { withKaslrSeed } from './device-tree.js';
import { type GdbClient, GdbError, GdbTimeout } from './gdb-client.js';
import { checkImage, expectedImage } from './image-check.js';
import { initProgram } from './init-program.js';
import { buildInitramfs, EXECUTABLE } from './initramfs.js';
import { type BootFiles, dumpDeviceTree, Machine, type MachineOptions } from './machine.js';
import { checkPageTables } from './pagetable-check.js';
import { readProcessor } from './processor.js';

export interface BootRequest {
  readonly kernel: Kernel;
  /** As QEMU takes it. */
  readonly cpu: string;
  readonly seed: bigint;
  /** Seconds until a kernel that has not come to its breakpoint is given up. */
  readonly timeout: number;
}

export interface BootResult {
  readonly release: string;
  readonly cpu: string;
  readonly seed: bigint;
  readonly text?: Va;
  readonly checks: readonly Check[];
  /** Why the boot could not be followed to its end. */
  readonly failure?: string;
  readonly seconds: number;
}

/** MiB. */
const MEMORY = 1024;
const MIB = 2 ** 20;

export async function boot(request: BootRequest): Promise<BootResult> {
  const { kernel, cpu, seed } = request;
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  const checks: Check[] = [];
  let facts: BootFacts | undefined;
  let machine: Machine | undefined;
  let failure: string | undefined;
  try {
    const options: MachineOptions = { cpu, memory: MEMORY, directory };
    machine = await Machine.start(options, await writeFiles(request, options));
    const processor = await readProcessor(machine.gdb, cpu);
    const handover = await runBootLoader(machine.gdb);
    facts = factsOf({ kernel, seed, memory: MEMORY * MIB }, handover, processor);
    await follow(request, facts, machine.gdb, checks);
  } catch (error) {
    const tail = (await machine?.consoleTail())?.trim();
    failure = `${(error as Error).message}${tail ? `\n${tail}` : ''}`;
  } finally {
    await machine?.stop();
    await rm(directory, { recursive: true });
  }
  return {
    release: kernel.banner.release,
    cpu,
    seed,
    ...(facts && { text: facts.placement.text }),
    checks,
    ...(failure !== undefined && { failure }),
    seconds: (performance.now() - started) / 1000,
  };
}

async function writeFiles({ kernel, seed }: BootRequest, options: MachineOptions): Promise<BootFiles> {
  const { directory } = options;
  const file = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(directory, name), bytes);
    return join(directory, name);
  };
  const init = { name: 'init', content: initProgram([]), mode: EXECUTABLE };
  return {
    kernel: await file('Image', kernel.image),
    deviceTree: await file('machine.dtb', withKaslrSeed(await dumpDeviceTree(options), seed)),
    initramfs: await file('initramfs', buildInitramfs([init])),
  };
}

async function follow(request: BootRequest, facts: BootFacts, gdb: GdbClient, checks: Check[]): Promise<void> {
  const { kernel, placement } = facts;
  const placed = await checkPlacement(request, facts, gdb);
  checks.push(placed);
  if (placed.mismatchCount > 0) return;

  const memory = await gdb.readMemory(placement.text, kernel.image.length);
  checks.push(checkImage(facts, expectedImage(facts), memory));
  checks.push(await checkPageTables(facts, 'early', gdb));

  await runToReboot(request, facts, gdb);
  checks.push(await checkPageTables(facts, 'final', gdb));
}

/** That the kernel comes to __primary_switched where `place` says proves the address of all of it. */
async function checkPlacement({ timeout }: BootRequest, facts: BootFacts, gdb: GdbClient): Promise<Check> {
  const check = new CheckBuilder('placement', 'address');
  check.compared = 1;
  const switched = runAddress(facts, '__primary_switched');
  await gdb.insertBreakpoint(switched);
  try {
    await gdb.continue(timeout * 1000);
  } catch (error) {
    if (!(error instanceof GdbTimeout)) throw error;
    await gdb.interrupt();
  }
  await gdb.removeBreakpoint(switched);
  if ((await gdb.readRegister('pc')) !== toU64(switched)) {
    const text = await actualText(gdb, facts.kernel);
    const found = text === undefined ? 'it never came to __primary_switched there' : `it ran at ${formatVa(text)}`;
    check.mismatch(() => `kaslrkit says _text is at ${formatVa(facts.placement.text)}; ${found}`);
  }
  return check.finish();
}

/** Runs to the last call of the init program. @throws GdbTimeout, GdbError if the kernel panics before */
async function runToReboot({ timeout }: BootRequest, facts: BootFacts, gdb: GdbClient): Promise<void> {
  const reboot = runAddress(facts, '__arm64_sys_reboot');
  await gdb.insertBreakpoint(reboot);
  await gdb.continue(timeout * 1000);
  const pc = await gdb.readRegister('pc');
  if (pc !== toU64(reboot))
    throw new GdbError(`the kernel stopped at 0x${pc.toString(16)}, before its last system call`);
}
