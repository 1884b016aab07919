/** Joins the shards of a sweep to what one run would have made, to the byte. */
import { SweepError } from '../errors.js';
import {
  byEntries,
  type ExactDocument,
  exactTotal,
  isSampled,
  type SampledDocument,
  type SampledModule,
  type SweepDocument,
  sampledModule,
  sampledTotal,
} from './document.js';
import { Histogram } from './histogram.js';
import { StepSum } from './placement-steps.js';
import { type ExactShard, requireAllShards, type SampledShard } from './shard.js';

/**
 * Merges shards, given in any order; `shards` come from `parseShard`.
 * @throws SweepError BAD_SHARD unless they are all the parts of one sweep
 */
export function mergeShards(shards: readonly (ExactShard | SampledShard)[]): SweepDocument {
  const ordered = requireAllShards(shards);
  const exact = ordered.filter((shard): shard is ExactShard => !isSampled(shard));
  const sampled = ordered.filter((shard): shard is SampledShard => isSampled(shard));
  if (sampled.length === 0) return mergeExact(exact);
  if (exact.length === 0) return mergeSampled(sampled);
  throw new SweepError('BAD_SHARD', 'exact and sampled shards do not go together');
}

/** The sum of the totals over all placements. */
export function sumOf(shards: readonly ExactShard[]): StepSum {
  const sum = new StepSum();
  for (const { shard } of shards) {
    for (let i = 0; i + 1 < shard.changes.length; i += 2) sum.addChange(shard.changes[i]!, shard.changes[i + 1]!);
  }
  return sum;
}

function mergeExact(shards: readonly ExactShard[]): ExactDocument {
  const { era, placements, shard } = shards[0]!;
  const modules = shards.flatMap((one) => one.modules).sort(byEntries);
  return { era, placements, modules, total: exactTotal(modules, sumOf(shards), shard.weight) };
}

function mergeSampled(shards: readonly SampledShard[]): SampledDocument {
  const { era, rng } = shards[0]!;
  const seeds = shards.flatMap((one) => one.seeds).sort((a, b) => a.boot - b.boot);
  const joined = new Map<string, { module: SampledModule; notLoaded: number; histogram: Histogram }>();
  for (const module of shards.flatMap((one) => one.modules)) {
    const known = joined.get(module.name) ?? { module, notLoaded: 0, histogram: new Histogram() };
    known.notLoaded += module.notLoaded;
    for (const { plts, boots } of module.distribution) known.histogram.add(plts, boots);
    joined.set(module.name, known);
  }
  const modules = [...joined.values()].map(({ module: { name, reserved }, notLoaded, histogram }) =>
    sampledModule({ name, reserved, notLoaded }, histogram),
  );
  return { era, rng, seeds, modules: modules.sort(byEntries), total: sampledTotal(modules, seeds) };
}
