/** A placed kernel file and its mapping: which symbols bound the segments, and what the CPU decides. */
import { type Va, va } from '../lib/address.js';
import type { Kernel } from '../lib/image/kernel.js';
import type { Placement } from '../lib/kaslr/place.js';
import {
  BOUNDARY_SYMBOLS,
  type BoundarySymbol,
  type InferredBoundaries,
  inferBoundaries,
} from '../lib/mmu/boundary.js';
import { type KernelMappingRequest, mapKernel } from '../lib/mmu/kernel-mapping.js';
import { type LinearMap, linearMap, type PhysicalRange } from '../lib/mmu/linear-map.js';
import { mappingRule } from '../lib/mmu/mapping-rule.js';
import { type SwitchStep, TableSwitchRecorder } from '../lib/mmu/table-switch.js';
import { type Transition, transition } from '../lib/mmu/transition.js';
import { translationRegime } from '../lib/mmu/translation-regime.js';
import { UsageError } from './output/error.js';
import { geometryFor, type PlacementArguments, parseCount } from './placement.js';

/** What does not depend on the stage. */
export type MappingRequest = Omit<KernelMappingRequest, 'stage'>;

export interface MappableKernel {
  readonly request: MappingRequest;
  readonly inferred: InferredBoundaries['inferred'];
}

/** @throws MappingError; UsageError if --phys is beyond 52 bits */
export function mappableKernel(kernel: Kernel, placement: Placement, values: PlacementArguments): MappableKernel {
  const symbols: Partial<Record<BoundarySymbol, Va>> = {};
  for (const name of BOUNDARY_SYMBOLS) {
    const address = kernel.symbol(name);
    if (address !== undefined) symbols[name] = va(address + placement.offset);
  }
  const { rela } = kernel.tables;
  const { boundaries, inferred } = inferBoundaries({
    symbols,
    text: placement.text,
    image: kernel.image,
    ...(rela.count > 0 && { rela: { ...rela, linkBase: kernel.linkBase } }),
  });
  const { pageSize, vaBitsActual } = geometryFor(kernel, values);
  const regime = translationRegime({ pageSize, vaBits: vaBitsActual });
  return {
    inferred,
    request: {
      version: values.era ?? kernel.banner.release,
      regime,
      boundaries,
      phys: parsePhysical(values.phys ?? '0', '--phys'),
      // Page-table isolation goes with KASLR on CPUs without FEAT_E0PD, which all with LPA2 have.
      features: { nonGlobal: placement.region.kaslr && regime.format !== 'lpa2' },
    },
  };
}

function parsePhysical(text: string, what: string): number {
  const address = parseCount(text, what);
  if (address >= 2 ** 52) throw new UsageError(`${what} ${text} is beyond 52 bits, which no arm64 CPU has`);
  return address;
}

export interface TableChange {
  readonly transition: Transition;
  /** Of building the final tables behind the early ones and switching to them; none where the live ones can be edited. */
  readonly steps: readonly SwitchStep[];
}

/** What it takes to go from the early tables to the final ones. */
export function changeOf(request: MappingRequest, image: { start: Va; end: Va }): TableChange {
  const early = mapKernel({ ...request, stage: 'early' }).tables;
  const recorder = new TableSwitchRecorder(request.regime);
  const root = early.root + early.pages * request.regime.pageSize;
  const final = mapKernel({ ...request, stage: 'final', root, observer: recorder }).tables;
  const change = transition(early, final, image);
  return { transition: change, steps: change.direct ? [] : recorder.steps(final, early) };
}

export interface LinearMaps {
  readonly whole: LinearMap;
  readonly carved: LinearMap;
}

/** The linear map of `START-END` ranges of memory, from the lowest on, with and without the image's alias on its own. */
export function linearMapsOf({ request }: MappableKernel, pageOffset: Va, memory: readonly string[]): LinearMaps {
  const ranges = memory.map((text): PhysicalRange => {
    const [start, end, ...rest] = text.split('-');
    if (start === undefined || end === undefined || rest.length > 0)
      throw new UsageError(`--memory ${text} is not START-END`);
    return { start: parsePhysical(start, '--memory'), end: parsePhysical(end, '--memory') };
  });
  const { regime, phys, boundaries, version } = request;
  const memstart = Math.min(...ranges.map(({ start }) => start));
  const plan = { regime, ranges, memstart, pageOffset };
  const { linearAliasStart } = mappingRule(version);
  const [text, start, end] = (['_text', linearAliasStart, '__init_begin'] as const).map((symbol) => {
    const address = boundaries[symbol];
    if (address === undefined) throw new UsageError(`--memory needs the symbol ${symbol}, which nothing tells`);
    return address;
  }) as [Va, Va, Va];
  const image = { start: phys + (start - text), end: phys + (end - text) };
  return { whole: linearMap(plan), carved: linearMap({ ...plan, image }) };
}
