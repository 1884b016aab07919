/** The stages of a boot at which the machine is compared with what kaslrkit says, in order. */
import { formatVa, toU64 } from '../../lib/address.js';
import type { ModuleFile } from '../../lib/module/module-file.js';
import { AllocationCheck } from './allocation-check.js';
import { actualText } from './boot-entry.js';
import { type BootFacts, runAddress } from './boot-facts.js';
import { type Check, CheckBuilder } from './check.js';
import { type GdbClient, GdbTimeout } from './gdb-client.js';
import { checkImage, expectedImage } from './image-check.js';
import { ModuleCheck } from './module-check.js';
import type { ModuleRecording } from './module-recording.js';
import { runModules } from './module-run.js';
import { checkPageTables } from './pagetable-check.js';
import type { Tamper } from './tamper.js';

export interface StageContext {
  readonly facts: BootFacts;
  readonly gdb: GdbClient;
  /** In load order. */
  readonly modules: readonly ModuleFile[];
  readonly erratum843419: boolean;
  /** Milliseconds between two stops. */
  readonly timeout: number;
  readonly tamper: Tamper;
}

/** Follows a boot from the kernel's entry to the last system call of user space; yields each check when it is done. */
export async function* checkStages(context: StageContext): AsyncGenerator<Check> {
  const { facts, gdb, tamper } = context;
  const placement = await checkPlacement(context);
  yield placement;
  if (placement.mismatchCount > 0) return;

  const { text } = facts.placement;
  const memory = await gdb.readMemory(text, facts.kernel.image.length);
  tamper.image(memory);
  yield checkImage(facts, expectedImage(facts), memory);
  yield await checkPageTables(facts, 'early', gdb, tamper);
  yield* await checkModules(context);
  yield await checkPageTables(facts, 'final', gdb, tamper);
}

/** That the kernel comes to __primary_switched where `place` says proves the address of all of it. */
async function checkPlacement({ facts, gdb, timeout }: StageContext): Promise<Check> {
  const check = new CheckBuilder('placement', 'address');
  check.compared = 1;
  const switched = runAddress(facts, '__primary_switched');
  await gdb.insertBreakpoint(switched);
  try {
    await gdb.continue(timeout);
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

/** Module after module, until the init program has no more. */
async function checkModules({ facts, gdb, modules, erratum843419, timeout, tamper }: StageContext): Promise<Check[]> {
  const allocation = new AllocationCheck(facts);
  const check = new ModuleCheck(facts, allocation, erratum843419);
  const files = new Map(modules.map((file) => [file.name, file]));
  const missing = new Set(files.keys());
  const loaded = (file: ModuleFile, recording: ModuleRecording): void => {
    missing.delete(file.name);
    tamper.module(recording);
    check.add(file, recording);
  };
  const dropped = (file: ModuleFile): void => check.dropped(file.name);
  await runModules(facts, gdb, { files, timeout, loaded, dropped });
  if (modules.length === 0) return [];
  for (const name of missing) check.refused(name);
  return [check.finish(), allocation.finish()];
}
