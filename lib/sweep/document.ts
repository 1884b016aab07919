/**
 * The results of a sweep as they are handed on: plain data, the same whether one run made them or `merge` joined its shards.
 */
import { formatU64, formatVa } from '../address.js';
import type { DistanceDistribution } from './distance-distribution.js';
import { totalWeight } from './distance-distribution.js';
import { Histogram, type Share, type Summary } from './histogram.js';
import { type PlacementSteps, StepSum } from './placement-steps.js';
import { type BootResult, NOT_LOADED } from './sampled.js';

/** Which part of the work a document holds, and what makes parts of one sweep fit together. */
export interface ShardMark {
  readonly index: number;
  readonly count: number;
  /** SHA-256 of what was swept and how: the same in all parts. */
  readonly sweep: string;
}

export interface ExactModule {
  readonly name: string;
  readonly reserved: number;
  readonly used: Summary;
  readonly distribution: readonly Share[];
}

/** How many of the boots. */
export interface BootShare {
  readonly plts: number;
  readonly boots: number;
}

/** Of all modules together. */
export interface Total<One> {
  readonly modules: number;
  readonly reserved: number;
  readonly used: Summary;
  readonly distribution: readonly One[];
}

export interface ExactDocument {
  readonly era: string;
  readonly placements: number;
  readonly modules: readonly ExactModule[];
  readonly total: Total<Share>;
  /** `changes` of the sum over the placements, `start, change, start, change ...`, which ends at `weight`. */
  readonly shard?: ShardMark & { readonly weight: number; readonly changes: readonly number[] };
  readonly interrupted?: true;
}

export interface SampledSeed {
  /** Its number in the named stream, from 0. */
  readonly boot: number;
  readonly seed: string;
  readonly moduleSeed: string;
  readonly text: string;
  readonly moduleBase: string;
  readonly plts: number;
  /** Modules that found no room, or that need one that did not. */
  readonly notLoaded: number;
}

export interface SampledModule {
  readonly name: string;
  readonly reserved: number;
  /** Boots in which it was not loaded, which count nowhere else. */
  readonly notLoaded: number;
  /** Null if it never was loaded. */
  readonly used: Summary | null;
  readonly distribution: readonly BootShare[];
}

export interface SampledDocument {
  readonly era: string;
  readonly rng: string;
  readonly seeds: readonly SampledSeed[];
  readonly modules: readonly SampledModule[];
  readonly total: Total<BootShare>;
  readonly shard?: ShardMark;
  readonly interrupted?: true;
}

export type SweepDocument = ExactDocument | SampledDocument;

export function isSampled(document: SweepDocument): document is SampledDocument {
  return 'seeds' in document;
}

/** Most entries first; names decide between equals, so that shards come together as one run has them. */
export function byEntries(
  a: { readonly name: string; readonly used: Summary | null },
  b: { readonly name: string; readonly used: Summary | null },
): number {
  const [x, y] = [a.used?.mean ?? -1, b.used?.mean ?? -1];
  return y - x || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

const NOTHING: Summary = { min: 0, max: 0, mean: 0, p50: 0, p90: 0, p99: 0 };

/** One module of an exact sweep, as a thread reports it. */
export interface ExactResult {
  readonly name: string;
  readonly reserved: number;
  readonly steps: PlacementSteps;
}

export function exactModule({ name, reserved, steps }: ExactResult, distances: DistanceDistribution): ExactModule {
  const histogram = Histogram.ofSteps(steps, totalWeight(distances));
  return { name, reserved, used: histogram.summary() ?? NOTHING, distribution: histogram.distribution() };
}

/** The total of modules whose steps sum up to `sum`: all at the same placement, each alone. */
export function exactTotal(
  modules: readonly { readonly reserved: number }[],
  sum: StepSum,
  weight: number,
): Total<Share> {
  const histogram = Histogram.ofSteps(sum.steps(), weight);
  return { ...counted(modules), used: histogram.summary() ?? NOTHING, distribution: histogram.distribution() };
}

function counted(modules: readonly { readonly reserved: number }[]): Pick<Total<never>, 'modules' | 'reserved'> {
  return { modules: modules.length, reserved: modules.reduce((total, { reserved }) => total + reserved, 0) };
}

export function exactDocument(
  era: string,
  results: readonly ExactResult[],
  distances: DistanceDistribution,
  shard?: ShardMark,
): ExactDocument {
  const sum = new StepSum();
  for (const { steps } of results) sum.add(steps);
  const weight = totalWeight(distances);
  const modules = results.map((result) => exactModule(result, distances)).sort(byEntries);
  return {
    era,
    placements: distances.placements,
    modules,
    total: exactTotal(modules, sum, weight),
    ...(shard && { shard: { ...shard, weight, changes: sum.changes() } }),
  };
}

export interface SampledInput {
  readonly era: string;
  readonly rng: string;
  /** In load order, as the counts of each boot. */
  readonly modules: readonly { readonly name: string; readonly reserved: number }[];
  readonly boots: readonly { readonly boot: number; readonly result: BootResult }[];
  readonly shard?: ShardMark | undefined;
}

export function sampledDocument({ era, rng, modules, boots, shard }: SampledInput): SampledDocument {
  const seeds = boots.map(({ boot, result }): SampledSeed => {
    const loaded = result.counts.filter((count) => count !== NOT_LOADED);
    return {
      boot,
      seed: formatU64(result.seed),
      moduleSeed: formatU64(result.moduleSeed),
      text: formatVa(result.text),
      moduleBase: formatVa(result.moduleBase),
      plts: loaded.reduce((sum, count) => sum + count, 0),
      notLoaded: result.counts.length - loaded.length,
    };
  });
  const described = modules.map(({ name, reserved }, index): SampledModule => {
    const histogram = new Histogram();
    for (const { result } of boots) if (result.counts[index] !== NOT_LOADED) histogram.add(result.counts[index]!, 1);
    return sampledModule({ name, reserved, notLoaded: boots.length - histogram.total }, histogram);
  });
  return {
    era,
    rng,
    seeds,
    modules: described.sort(byEntries),
    total: sampledTotal(described, seeds),
    ...(shard && { shard }),
  };
}

export function sampledModule(
  module: Pick<SampledModule, 'name' | 'reserved' | 'notLoaded'>,
  histogram: Histogram,
): SampledModule {
  return { ...module, used: histogram.summary() ?? null, distribution: bootShares(histogram) };
}

function bootShares(histogram: Histogram): BootShare[] {
  return histogram.weights().map(([plts, boots]) => ({ plts, boots }));
}

/** The total of each boot, over the boots. */
export function sampledTotal(
  modules: readonly { readonly reserved: number }[],
  seeds: readonly { readonly plts: number }[],
): Total<BootShare> {
  const histogram = new Histogram();
  for (const { plts } of seeds) histogram.add(plts, 1);
  return { ...counted(modules), used: histogram.summary() ?? NOTHING, distribution: bootShares(histogram) };
}
