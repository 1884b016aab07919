/**
 * The moment the boot loader hands over: `_text` in pc, the device tree in x0 (Linux Documentation/arch/arm64/booting.rst).
 *
 * QEMU's own loader is six instructions at the start of RAM. They are stepped through instead of assuming where it
 * puts an image, which changed with its versions and depends on the header.
 */
import { type Va, va } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import type { Era } from '../../lib/kaslr/era.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { type Placement, place } from '../../lib/kaslr/place.js';
import { type BootFacts, findBoundaries, SubjectError } from './boot-facts.js';
import { type GdbClient, GdbError } from './gdb-client.js';
import type { Processor } from './processor.js';

/** Start of RAM of the `virt` machine. */
const MEMORY_START = 0x40000000;
const LOADER_SIZE = 0x1000;
const LOADER_STEPS = 32;

export interface Handover {
  readonly phys: number;
  readonly deviceTree: number;
}

/** Runs the boot loader of a machine that has just been started. @throws GdbError */
export async function runBootLoader(gdb: GdbClient): Promise<Handover> {
  for (let step = 0; step < LOADER_STEPS; step++) {
    const pc = Number(await gdb.readRegister('pc'));
    if (pc >= MEMORY_START + LOADER_SIZE) return { phys: pc, deviceTree: Number(await gdb.readRegister('x0')) };
    await gdb.step();
  }
  throw new GdbError('the boot loader does not enter the kernel');
}

/** What is booted. */
export interface Subject {
  readonly kernel: Kernel;
  /** The rules to place it by. */
  readonly era: Era;
  readonly seed: bigint;
  /** Size of RAM in bytes. */
  readonly memory: number;
}

function placeKernel({ kernel, era, seed }: Subject, phys: number, vaBits: number): Placement {
  const distance = (symbol: string): number | undefined => {
    const address = kernel.symbol(symbol);
    return address === undefined ? undefined : address - kernel.linkBase;
  };
  const { imageSize, linkBase, config } = kernel;
  const machine = {
    era,
    geometry: geometryOf(kernel, vaBits),
    imageSize,
    linkBase,
    stext: distance('_stext'),
    etext: distance('_etext'),
    phys: BigInt(phys),
    fullRegion: config.fullRegion,
    kasan: config.kasan,
  };
  return place(machine, { seed });
}

/**
 * All that is known before the kernel runs.
 * @throws SubjectError if the CPU lacks the kernel's page size, or has random numbers that make any seed meaningless
 */
export function factsOf(subject: Subject, handover: Handover, processor: Processor): BootFacts {
  const { kernel, seed, memory } = subject;
  const offered = processor.vaBits.get(kernel.pageSize);
  if (offered === undefined) throw new SubjectError(`this CPU has no pages of ${kernel.pageSize / 1024}K`);
  if (processor.hasRandomNumbers && (seed === 0n || kernel.era.moduleSeed === 'image')) {
    throw new SubjectError(
      `${kernel.banner.release} takes random numbers of this CPU (FEAT_RNG): no seed says where it goes`,
    );
  }
  const placement = placeKernel(subject, handover.phys, offered);
  return {
    kernel,
    seed,
    ...handover,
    memory: { start: MEMORY_START, size: memory },
    placement,
    vaBits: geometryOf(kernel, offered).vaBitsActual,
    boundaries: findBoundaries(kernel, placement),
  };
}

/** Where the kernel really runs, from the exception vectors of a machine that is stopped inside it. */
export async function actualText(gdb: GdbClient, kernel: Kernel): Promise<Va | undefined> {
  const vectors = kernel.symbol('vectors');
  const vbar = BigInt.asIntN(64, await gdb.readRegister('VBAR').catch(() => gdb.readRegister('VBAR_EL1')));
  return vectors === undefined || vbar >= 0n ? undefined : va(Number(vbar) - (vectors - kernel.linkBase));
}
