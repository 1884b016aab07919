/**
 * One boot: a kernel under QEMU with a given seed, stopped where it can be compared with what kaslrkit says of that seed.
 *
 * Stops: entry (facts) - __primary_switched at the predicted address (image, early tables) - each module -
 * reboot(2), the init program's last call (final tables).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Va } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import type { ModuleFile } from '../../lib/module/module-file.js';
import { factsOf, runBootLoader } from './boot-entry.js';
import type { BootFacts } from './boot-facts.js';
import { checkStages } from './boot-stage.js';
import type { Check } from './check.js';
import { withKaslrSeed } from './device-tree.js';
import { initProgram } from './init-program.js';
import { buildInitramfs, EXECUTABLE, REGULAR } from './initramfs.js';
import { type BootFiles, dumpDeviceTree, Machine, type MachineOptions } from './machine.js';
import { hasErratum843419, readProcessor } from './processor.js';
import type { Tamper } from './tamper.js';

export interface BootRequest {
  readonly kernel: Kernel;
  /** As QEMU takes it. */
  readonly cpu: string;
  readonly seed: bigint;
  /** In load order. */
  readonly modules: readonly ModuleFile[];
  /** Seconds until a kernel that has not come to its breakpoint is given up. */
  readonly timeout: number;
  readonly tamper: Tamper;
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

const MIB = 2 ** 20;

/** MiB of RAM: the modules stand in the archive, in the file system and in memory. */
function memoryFor(modules: readonly ModuleFile[]): number {
  const bytes = modules.reduce((sum, { elf }) => sum + elf.bytes.length, 0);
  return 1024 + Math.ceil((3 * bytes) / MIB);
}

/**
 * Boots a kernel once and compares. Never throws for what goes wrong with the boot: that is `failure`, with the end of
 * what the kernel printed.
 */
export async function boot(request: BootRequest): Promise<BootResult> {
  const { kernel, cpu, seed, modules, tamper } = request;
  const started = performance.now();
  const memory = memoryFor(modules);
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  const checks: Check[] = [];
  let facts: BootFacts | undefined;
  let machine: Machine | undefined;
  let failure: string | undefined;
  try {
    const options: MachineOptions = { cpu, memory, directory };
    machine = await Machine.start(options, await writeFiles(request, options));
    const processor = await readProcessor(machine.gdb);
    const handover = await runBootLoader(machine.gdb);
    facts = factsOf({ kernel, era: tamper.era(kernel.era), seed, memory: memory * MIB }, handover, processor);
    const erratum843419 = hasErratum843419(cpu);
    const stages = { facts, gdb: machine.gdb, modules, erratum843419, timeout: request.timeout * 1000, tamper };
    for await (const check of checkStages(stages)) checks.push(check);
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

async function writeFiles({ kernel, seed, modules }: BootRequest, options: MachineOptions): Promise<BootFiles> {
  const { directory } = options;
  const file = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(directory, name), bytes);
    return join(directory, name);
  };
  const files = modules.map(({ name, elf }) => ({ name: `${name}.ko`, content: elf.bytes, mode: REGULAR }));
  const init = { name: 'init', content: initProgram(files.map(({ name }) => `/${name}`)), mode: EXECUTABLE };
  return {
    kernel: await file('Image', kernel.image),
    deviceTree: await file('machine.dtb', withKaslrSeed(await dumpDeviceTree(options), seed)),
    initramfs: await file('initramfs', buildInitramfs([...files, init])),
  };
}
