/** PLT entries of all modules over every placement, as columns, and their sum. */
import { type DistanceDistribution, totalWeight, weightBelow } from '../sweep/distance-distribution.js';
import { Histogram } from '../sweep/histogram.js';
import { type PlacementSteps, StepSum } from '../sweep/placement-steps.js';
import { binned } from './distribution.js';
import type { Distribution, PltColumns } from './report-data.js';

/** Enough to show a shape; the total has a picture of its own. */
const MODULE_BINS = 16;
const TOTAL_BINS = 64;
/** Points of the total over distances. */
const DISTANCES = 256;

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const shareOfNone = ([first]: readonly (readonly [number, number])[], total: number): number =>
  first?.[0] === 0 ? rounded(first[1] / total, 4) : 0;

export class PltTable {
  readonly #distances: DistanceDistribution;
  readonly #sum = new StepSum();
  readonly #min: number[] = [];
  readonly #max: number[] = [];
  readonly #mean: number[] = [];
  readonly #none: number[] = [];
  readonly #distributions: Distribution[] = [];

  constructor(distances: DistanceDistribution) {
    this.#distances = distances;
  }

  add(steps: PlacementSteps): void {
    const total = totalWeight(this.#distances);
    const histogram = Histogram.ofSteps(steps, total);
    const { min, max, mean } = histogram.summary()!;
    const weights = histogram.weights();
    this.#sum.add(steps);
    this.#min.push(min);
    this.#max.push(max);
    this.#mean.push(rounded(mean, 2));
    this.#none.push(shareOfNone(weights, total));
    this.#distributions.push(binned(weights, MODULE_BINS));
  }

  columns(used: PltColumns['used']): PltColumns {
    const steps = this.#sum.steps();
    const total = totalWeight(this.#distances);
    const histogram = Histogram.ofSteps(steps, total);
    const { min, max, mean } = histogram.summary()!;
    const weights = histogram.weights();
    return {
      min: this.#min,
      max: this.#max,
      mean: this.#mean,
      none: this.#none,
      distributions: this.#distributions,
      total: {
        min,
        max,
        mean: rounded(mean, 1),
        none: shareOfNone(weights, total),
        distribution: binned(weights, TOTAL_BINS),
      },
      byDistance: this.#byDistance(steps),
      used,
    };
  }

  #byDistance({ starts, counts }: PlacementSteps): PltColumns['byDistance'] {
    const { lowest, highest, pageSize } = this.#distances;
    const pages = (highest - lowest) / pageSize;
    const totals: number[] = [];
    let step = 0;
    for (let point = 0; point < DISTANCES; point++) {
      const distance = lowest + Math.round((pages * point) / (DISTANCES - 1)) * pageSize;
      const weight = weightBelow(this.#distances, distance);
      while (step + 1 < starts.length && starts[step + 1]! <= weight) step++;
      totals.push(counts[step] ?? 0);
    }
    return { lowest, highest, totals };
  }
}
