/**
 * The leaves that map the image, as the machine has them, against the mapping planner: every bit of every descriptor.
 *
 * Two bits are taken from the machine: nG, which depends on the CPU and its errata (page-table isolation), and GP,
 * which depends on how the kernel was configured. If set they must be so on all leaves.
 */
import { formatU64, formatVa } from '../../lib/address.js';
import { mapKernel } from '../../lib/mmu/kernel-mapping.js';
import type { Stage } from '../../lib/mmu/mapping-rule.js';
import { translationRegime } from '../../lib/mmu/translation-regime.js';
import type { Leaf } from '../../lib/mmu/walker.js';
import type { BootFacts } from './boot-facts.js';
import { type Check, CheckBuilder } from './check.js';
import type { GdbClient } from './gdb-client.js';
import { type Regime, readLeaves } from './table-walk.js';
import type { Tamper } from './tamper.js';

/** Leaves as kaslrkit plans them. @throws MappingError */
export function plannedLeaves(
  boot: BootFacts,
  stage: Stage,
  features: { nonGlobal: boolean; guarded: boolean },
): Leaf[] {
  const { kernel, phys, boundaries, vaBits } = boot;
  const { major, minor } = kernel.banner;
  const regime = translationRegime({ pageSize: kernel.pageSize, vaBits });
  const version = `${major}.${minor}`;
  return [...mapKernel({ version, stage, regime, boundaries, phys, features }).leaves];
}

function describeLeaf({ va: address, pa, size, contiguous, attributes, descriptor }: Leaf): string {
  const { writable, executable } = attributes;
  const permissions = `${writable ? 'RW' : 'RO'} ${executable ? 'X' : 'NX'}${contiguous ? ' CONT' : ''}`;
  return `${formatVa(address)} -> 0x${pa.toString(16)}, ${size / 1024} KiB, ${permissions} (${formatU64(descriptor)})`;
}

/** Compares leaves by address. */
export function compareLeaves(name: string, planned: readonly Leaf[], actual: readonly Leaf[]): Check {
  const check = new CheckBuilder(name, 'leaf');
  const rest = new Map(planned.map((leaf) => [leaf.va, leaf]));
  for (const leaf of actual) {
    const plan = rest.get(leaf.va);
    rest.delete(leaf.va);
    if (plan === undefined) check.mismatch(() => `not in kaslrkit's plan: ${describeLeaf(leaf)}`);
    else if (plan.size !== leaf.size || plan.descriptor !== leaf.descriptor) {
      check.mismatch(() => `kaslrkit says ${describeLeaf(plan)}, the kernel has ${describeLeaf(leaf)}`);
    }
  }
  for (const plan of rest.values()) check.mismatch(() => `the kernel lacks ${describeLeaf(plan)}`);
  check.compared = actual.length;
  return check.finish();
}

function regimeMismatch({ kernel, vaBits }: BootFacts, actual: Regime): string | undefined {
  const { pageSize, format } = translationRegime({ pageSize: kernel.pageSize, vaBits });
  if (pageSize === actual.pageSize && vaBits === actual.vaBits && format === actual.format) return undefined;
  const name = (x: Regime): string => `${x.pageSize / 1024}K pages, ${x.vaBits} VA bits, ${x.format} descriptors`;
  return `kaslrkit says ${name({ pageSize, vaBits, format })}, the kernel has ${name(actual)}`;
}

/** Walks the tables of a machine that is stopped in kernel code. @throws GdbError, MappingError */
export async function checkPageTables(boot: BootFacts, stage: Stage, gdb: GdbClient, tamper: Tamper): Promise<Check> {
  const name = `page tables, ${stage}`;
  const { text, end, area } = boot.placement;
  // What the image leaves free below the text is given to modules.
  const start = stage === 'early' ? text : area.start;
  const { regime, leaves: read } = await readLeaves(gdb, { start, end });
  const mismatch = regimeMismatch(boot, regime);
  if (mismatch !== undefined) {
    const check = new CheckBuilder(name, 'leaf');
    check.mismatch(() => mismatch);
    return check.finish();
  }
  const leaves = tamper.leaves(read);
  const features = {
    nonGlobal: leaves.some(({ attributes }) => attributes.nonGlobal),
    guarded: leaves.some(({ attributes }) => attributes.guarded),
  };
  return compareLeaves(name, plannedLeaves(boot, stage, features), leaves);
}
