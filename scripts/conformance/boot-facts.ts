/** What is known of one boot before the kernel runs: its seed, what the boot protocol hands over, and what kaslrkit says. */
import { type Va, va } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import type { Placement } from '../../lib/kaslr/place.js';
import { BOUNDARY_SYMBOLS, type Boundaries, inferBoundaries } from '../../lib/mmu/boundary.js';

export interface BootFacts {
  readonly kernel: Kernel;
  readonly seed: bigint;
  /** Where the boot loader put `_text`. */
  readonly phys: number;
  /** Physical address of the device tree. */
  readonly deviceTree: number;
  /** RAM of the machine. */
  readonly memory: { readonly start: number; readonly size: number };
  readonly placement: Placement;
  /** VA bits that the kernel runs with on this CPU. */
  readonly vaBits: number;
  /** The ends of the image's segments at run addresses. */
  readonly boundaries: Boundaries;
}

/** The kernel lacks what the harness hangs on. */
export class SubjectError extends Error {}

/** Run address of a symbol. @throws SubjectError if the kernel does not name it */
export function runAddress({ kernel, placement }: Pick<BootFacts, 'kernel' | 'placement'>, symbol: string): Va {
  const address = kernel.symbol(symbol);
  if (address === undefined) throw new SubjectError(`the kernel's symbol table has no ${symbol}`);
  return va(address + placement.offset);
}

/** The boundaries that the symbol table has or the image tells. @throws MappingError */
export function findBoundaries(kernel: Kernel, { text, offset }: Placement): Boundaries {
  const symbols = BOUNDARY_SYMBOLS.flatMap((name) => {
    const address = kernel.symbol(name);
    return address === undefined ? [] : [[name, va(address + offset)] as const];
  });
  const { linkBase, image } = kernel;
  const rela = { ...kernel.tables.rela, linkBase };
  return inferBoundaries({ symbols: Object.fromEntries(symbols), text, image, rela }).boundaries;
}
