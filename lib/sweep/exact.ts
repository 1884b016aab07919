/**
 * The PLT entries of one module over every placement, by interval arithmetic: nothing is sampled and nothing is relocated.
 *
 * A row is in range for one interval of distances. Walking the distances upwards, rows leave the PLT and enter it again at the ends
 * of their intervals, and the count changes nowhere else.
 *
 * The module is taken alone: its regions are allocated first fit around the image, and calls into other modules count as in range.
 */
import type { PreparedModule } from '../module/load.js';
import { type BranchColumn, branchColumn, footprintsOf, REACH } from './branch-column.js';
import { FIRST_IMPORT, IMAGE, NOWHERE } from './branch-destination.js';
import { type DistanceDistribution, weightBelow } from './distance-distribution.js';
import { entryIds } from './entry-id.js';
import { type LonePattern, lonePatterns, type RegionPosition } from './lone-placement.js';
import { type PlacementSteps, StepBuilder } from './placement-steps.js';
import { RunCount } from './run-count.js';
import { skippedSlots, slotCounts } from './slot-count.js';

/**
 * The count of core and init entries together, over the placements of `distances`.
 * @param kernelExport the offset from `_text` of an export of the kernel
 * @throws as `branchColumn` and `lonePatterns`
 */
export function sweepModule(
  prepared: PreparedModule,
  kernelExport: (name: string) => number | undefined,
  distances: DistanceDistribution,
): PlacementSteps {
  const column = withoutWeakImports(branchColumn(prepared, kernelExport));
  const rows = {
    column,
    ids: entryIds(column, prepared.environment.rule.plt.reuse),
    slots: slotCounts(skippedSlots(prepared)),
  };
  const steps = new StepBuilder();
  for (const pattern of lonePatterns({ footprints: footprintsOf(prepared), ...distances })) {
    sweepPattern(rows, pattern, distances, steps);
  }
  return steps;
}

/** What no module has to define is nowhere; what one has to stays an import. */
function withoutWeakImports(column: BranchColumn): BranchColumn {
  const frame = column.frame.map((frame) => (column.imports[frame - FIRST_IMPORT]?.isWeak ? NOWHERE : frame));
  return { ...column, frame };
}

interface Rows {
  readonly column: BranchColumn;
  readonly ids: Int32Array;
  readonly slots: ReturnType<typeof slotCounts>;
}

function sweepPattern(
  { column, ids, slots }: Rows,
  { from, to, regions }: LonePattern,
  distances: DistanceDistribution,
  steps: StepBuilder,
): void {
  const { pageSize } = distances;
  const runs = new RunCount({ ids, parts: column.part }, slots);
  // An event is the page where a row comes or goes and the row, in one number, so that sorting needs no comparator.
  const events: number[] = [];
  const addEvent = (distance: number, row: number): void => {
    if (distance < to) events.push(Math.ceil((distance - from) / pageSize) * column.count + row);
  };
  for (let row = 0; row < column.count; row++) {
    const { lowest, highest } = nearInterval(column, row, regions);
    if (lowest > from || highest < from) runs.toggle(row);
    if (lowest > highest) continue;
    if (lowest > from) addEvent(lowest, row);
    if (highest >= from) addEvent(highest + 1, row);
  }
  steps.add(weightBelow(distances, from), runs.used);
  const sorted = Float64Array.from(events).sort();
  for (let i = 0; i < sorted.length; ) {
    const page = Math.floor(sorted[i]! / column.count);
    for (; i < sorted.length && Math.floor(sorted[i]! / column.count) === page; i++) {
      runs.toggle(sorted[i]! - page * column.count);
    }
    steps.add(weightBelow(distances, from + page * pageSize), runs.used);
  }
}

/** Distances of the base at which a row needs nothing of the PLT. */
function nearInterval(
  column: BranchColumn,
  row: number,
  regions: readonly RegionPosition[],
): { lowest: number; highest: number } {
  const frame = column.frame[row]!;
  if (frame >= FIRST_IMPORT) return ALWAYS;
  if (frame === NOWHERE) return NEVER;
  const place = regions[column.region[row]!]!;
  const destination = frame === IMAGE ? ATOP_IMAGE : regions[frame]!;
  const reach = REACH[column.kind[row]!]!;
  const constant = destination.offset + column.offset[row]! - place.offset;
  const greatest = constant - column.first[row]!;
  const least = constant - column.last[row]!;
  if (destination.movesWithBase === place.movesWithBase) return least >= -reach && greatest < reach ? ALWAYS : NEVER;
  return place.movesWithBase
    ? { lowest: greatest - reach + 1, highest: least + reach }
    : { lowest: -reach - least, highest: reach - 1 - greatest };
}

const ATOP_IMAGE: RegionPosition = { movesWithBase: false, offset: 0 };
const ALWAYS = { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY };
const NEVER = { lowest: Number.POSITIVE_INFINITY, highest: Number.NEGATIVE_INFINITY };
