/** Mappings as JSON and as text; the tables themselves are printed by lib/mmu/ptdump. */
import { formatU64, formatVa, va } from '../../lib/address.js';
import type { KernelMapping } from '../../lib/mmu/kernel-mapping.js';
import type { LinearMap } from '../../lib/mmu/linear-map.js';
import type { SwitchStep } from '../../lib/mmu/table-switch.js';
import type { Leaf } from '../../lib/mmu/walker.js';
import type { LinearMaps, TableChange } from '../mapping.js';
import { formatSize } from './print.js';

const physical = (pa: number): string => formatU64(BigInt(pa));

export function mappingJson({ segments, leaves, tables }: KernelMapping): object {
  const { pageSize, vaBits } = tables.regime;
  return {
    pageSize,
    vaBits,
    segments: segments.map(({ name, start, end, permissions, contiguous }) => ({
      name,
      start: formatVa(start),
      end: formatVa(end),
      permissions,
      contiguous,
    })),
    leaves: leaves.map(leafJson),
    tables: tables.pages,
  };
}

function leafJson({ va, pa, size, contiguous, attributes, descriptor }: Leaf): object {
  return { va: formatVa(va), pa: physical(pa), size, contiguous, attributes, descriptor: formatU64(descriptor) };
}

export function transitionJson(change: TableChange): object {
  const { changes, direct } = change.transition;
  return {
    direct,
    changes: changes.map(({ kind, start, end, breakBeforeMake, tlbConflict }) => ({
      kind,
      start: formatVa(start),
      end: formatVa(end),
      breakBeforeMake,
      tlbConflict,
    })),
    steps: change.steps.map(stepJson),
  };
}

function stepJson(step: SwitchStep): object {
  return {
    ...step,
    ...('page' in step && { page: physical(step.page) }),
    ...('words' in step && { words: step.words.map(formatU64) }),
    ...('ttbr' in step && { ttbr: formatU64(step.ttbr) }),
  };
}

/** The changes, what they need, and a count of the steps of the switch. */
export function transitionText({ transition, steps }: TableChange): string {
  const lines = transition.changes.map(({ kind, start, end, breakBeforeMake, tlbConflict }) => {
    const need = tlbConflict ? 'TLB conflict if changed live' : breakBeforeMake ? 'break-before-make' : 'safe';
    return `${formatVa(start)}-${formatVa(end)} ${formatSize(end - start).padStart(9)}  ${kind.padEnd(14)} ${need}`;
  });
  if (transition.direct) return `${lines.join('\n')}\nThe live tables can be edited as they are.\n`;
  const { changes, breakBeforeMake, tlbConflicts } = transition;
  const verdict = `${breakBeforeMake.length} of ${changes.length} changes need break-before-make, ${tlbConflicts.length} could raise a TLB conflict: build beside, switch TTBR1 through an empty table.`;
  const counts = new Map<string, number>();
  for (const { step } of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  const summary = [...counts].map(([step, count]) => `${count} ${step}`).join(', ');
  return `${lines.join('\n')}\n${verdict}\nSteps: ${summary} (--json lists them).\n`;
}

function linearJson({ leaves, tables }: LinearMap): object {
  return { leaves, tables: tables.total };
}

export function linearMapsJson({ whole, carved }: LinearMaps): object {
  return { whole: linearJson(whole), carved: linearJson(carved) };
}

export function linearMapsText({ whole, carved }: LinearMaps): string {
  const describe = ({ leaves, tables }: LinearMap): string => {
    const entries = leaves.map(
      ({ size, contiguous, count }) => `${count} x ${formatSize(size)}${contiguous ? ' CON' : ''}`,
    );
    return `${entries.join(', ')}; ${tables.total} tables`;
  };
  return `linear map, whole:           ${describe(whole)}\nlinear map, image carved out: ${describe(carved)}\n`;
}

/** Where the boundaries of 1 GiB, 32 MiB or 512 MiB cut the image, and what that costs. */
export function straddleJson(cut: {
  boundary: number;
  crossed: readonly number[];
  tables: number;
  leastTables: number;
}): object {
  return { ...cut, crossed: cut.crossed.map((address) => formatVa(va(address))) };
}
