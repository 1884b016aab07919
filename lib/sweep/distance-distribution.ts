/**
 * How far from the image the module region begins, over all seeds: the weight of every distance, exact and without sampling.
 *
 * - Up to 6.4 the base is `start + (range * r >> 21)`, rounded down to a page, r being 21 random bits; `start` follows the image.
 *   Pages get unequal weights: with 4K pages and a window of 2 GiB 4 values of r, or 5.
 * - From 6.5 on a box begins any number of whole pages below `_text` that keeps the image inside, each as likely as the next.
 * - Where the image moves against the region (the whole-vmalloc rule, KASAN), `drifting-image.ts` joins both.
 *
 * Seed 0, which turns KASLR off and is one of 2^64, is not among the seeds.
 * @see Linux 6.1 arch/arm64/kernel/kaslr.c, kaslr_init(); 6.12 mm/init.c, random_bounding_box()
 */
import type { Va } from '../address.js';
import { alignUp } from '../bits.js';
import { PlacementError } from '../errors.js';
import { type BaseRule, baseRule, DIRECT_SIZE, moduleWindows, PLT_SIZE } from '../kaslr/module-region.js';
import { type Machine, place, requireRunnable } from '../kaslr/place.js';
import { FOOTPRINT_LIMIT } from './branch-column.js';
import { driftingWeights, imageDrifts } from './drifting-image.js';
import { baseOf, basesBelow, DRAWS } from './scaled-base.js';

/** Plain data, so that threads can be handed what was computed once. */
export interface DistanceDistribution {
  /** Placements that differ: pages on which the base can lie, times the places of the image where both move. */
  readonly placements: number;
  /** Distances of the base from `_text` that are told apart, one a page; the outermost stand for all beyond. */
  readonly lowest: number;
  readonly highest: number;
  /** Weight, a whole number, of all distances below each page from `lowest` on; the last is the weight of all. */
  readonly sums: Float64Array;
  readonly pageSize: number;
  /** What the image takes of vmalloc, from `_text`. */
  readonly area: { readonly start: number; readonly end: number };
  /** Size of the region behind the base. */
  readonly size: number;
}

/** Weight of the placements whose distance is below `distance`. */
export function weightBelow({ lowest, pageSize, sums }: DistanceDistribution, distance: number): number {
  return sums[Math.min(Math.max(Math.ceil((distance - lowest) / pageSize), 0), sums.length - 1)]!;
}

/** Weight of all placements. */
export function totalWeight({ sums }: DistanceDistribution): number {
  return sums.at(-1)!;
}

/** Any seed does where all have the same distances. */
const SOME_SEED = 1n;

/**
 * The distances that an era allows.
 * @param text the run address of `_text`, if it is fixed; the base then varies alone
 * @throws as `place` and `requireRunnable`; PlacementError MISSING_INPUT, REGION_FULL if there is no module region
 */
export function moduleDistances(machine: Machine, text?: Va): DistanceDistribution {
  const { pageSize } = machine.geometry;
  const placement = place(machine, text === undefined ? { seed: SOME_SEED } : { text });
  requireRunnable(placement, machine.geometry);
  const { region, text: placed, area: taken } = placement;
  // Beyond this on either side no branch of any module reaches the image.
  const area = { start: taken.start - placed, end: taken.end - placed };
  const reach = alignUp(area.end + DIRECT_SIZE + FOOTPRINT_LIMIT, pageSize);
  const common = { pageSize, area, text: placed, reach };
  if (region.era.moduleRule === 'boxes') {
    const box = moduleWindows(region)[0];
    if (!box) throw new PlacementError('REGION_FULL', 'the image is larger than any module region');
    const pages = (box.highest - box.lowest) / pageSize + 1;
    const below = (address: number): number => Math.min(Math.max((address - box.lowest) / pageSize, 0), pages);
    return tabulate({
      ...common,
      size: box.size,
      first: box.lowest,
      last: box.highest,
      placements: pages,
      total: pages,
      below,
    });
  }
  const rule = baseRule(region);
  if (text === undefined && imageDrifts(region)) {
    return { pageSize, area, size: PLT_SIZE, ...driftingWeights(machine, { region, rule, reach }) };
  }
  return tabulate({ ...common, size: PLT_SIZE, ...scaledWeights(rule, pageSize) });
}

interface Weights {
  /** The outermost bases. */
  readonly first: number;
  readonly last: number;
  readonly placements: number;
  readonly total: number;
  /** Weight of the bases below an address that begins a page. */
  readonly below: (address: number) => number;
}

function scaledWeights(rule: BaseRule, pageSize: number): Weights {
  const first = baseOf(rule, 0, pageSize);
  const last = baseOf(rule, DRAWS - 1, pageSize);
  return {
    first,
    last,
    // Steps of at most a page leave none out; larger ones never meet twice on one.
    placements: rule.range <= DRAWS * pageSize ? (last - first) / pageSize + 1 : DRAWS,
    total: DRAWS,
    below: (address) => basesBelow(rule, address, pageSize),
  };
}

type Placed = Pick<DistanceDistribution, 'pageSize' | 'area' | 'size'> & {
  readonly text: number;
  readonly reach: number;
};

function tabulate({ first, last, below, total, text, reach, ...rest }: Weights & Placed): DistanceDistribution {
  const { placements, pageSize, area, size } = rest;
  const clamp = (distance: number): number => Math.min(Math.max(distance, -reach), reach);
  const lowest = clamp(first - text);
  const highest = clamp(last - text);
  const pages = (highest - lowest) / pageSize + 1;
  const sums = new Float64Array(pages + 1);
  for (let page = 1; page < pages; page++) sums[page] = below(text + lowest + page * pageSize);
  sums[pages] = total;
  return { placements, lowest, highest, sums, pageSize, area, size };
}
