/** A mapping as the report draws it: segments, and neighbouring entries of one kind as one run. */
import { formatU64 } from '../address.js';
import type { KernelMapping } from '../mmu/kernel-mapping.js';
import type { Stage } from '../mmu/mapping-rule.js';
import type { Leaf } from '../mmu/walker.js';
import type { MappedRun, StageMapping } from './report-data.js';

/** @param text the run address of `_text`, from which offsets count */
export function stageMapping(stage: Stage, { segments, leaves, tables }: KernelMapping, text: number): StageMapping {
  return {
    stage,
    segments: segments.map(({ name, start, end, permissions }) => ({
      name,
      start: start - text,
      end: end - text,
      permissions,
    })),
    runs: runsOf(leaves, text),
    tables: tables.pages,
  };
}

const permissionsOf = ({ attributes: { writable, executable } }: Leaf): string =>
  `${writable ? 'RW' : 'RO'} ${executable ? 'X' : 'NX'}`;

function continues(run: MappedRun, leaf: Leaf, text: number): boolean {
  return (
    run.entrySize === leaf.size &&
    run.contiguous === leaf.contiguous &&
    run.permissions === permissionsOf(leaf) &&
    run.offset + run.count * run.entrySize === leaf.va - text &&
    BigInt(run.phys) + BigInt(run.count * run.entrySize) === BigInt(leaf.pa)
  );
}

function runsOf(leaves: readonly Leaf[], text: number): MappedRun[] {
  const runs: MappedRun[] = [];
  for (const leaf of leaves) {
    const last = runs.at(-1);
    if (last && continues(last, leaf, text)) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else {
      const { va, pa, size, contiguous } = leaf;
      const permissions = permissionsOf(leaf);
      runs.push({ offset: va - text, phys: formatU64(BigInt(pa)), entrySize: size, count: 1, contiguous, permissions });
    }
  }
  return runs;
}
