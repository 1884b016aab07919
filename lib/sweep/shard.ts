/** A sweep in parts: which part does what, the same for everyone who counts to N. */
import { SweepError } from '../errors.js';
import type { ExactDocument, SampledDocument, SweepDocument } from './document.js';

export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

/** Every `count`-th item, so that neighbours, which are alike, are spread evenly. */
export function shareOf<Item>(items: readonly Item[], { index, count }: Shard): Item[] {
  return items.filter((_, i) => i % count === index - 1);
}

const bad = (message: string): SweepError => new SweepError('BAD_SHARD', message);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const SUMMARY_KEYS = ['min', 'max', 'mean', 'p50', 'p90', 'p99'];
const isSummary = (value: unknown): boolean =>
  isObject(value) && SUMMARY_KEYS.every((key) => Number.isFinite(value[key]));

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isArrayOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const has =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([key, check]) => check(value[key]));

const MARK = { index: isCount, count: isCount, sweep: isText };
const MODULE = { name: isText, reserved: isCount };
const SHARE = { plts: isCount, probability: Number.isFinite };
const SEED = {
  boot: isCount,
  seed: isText,
  moduleSeed: isText,
  text: isText,
  moduleBase: isText,
  plts: isCount,
  notLoaded: isCount,
};

const isExactShard = has({
  era: isText,
  placements: Number.isFinite,
  modules: isArrayOf(has({ ...MODULE, used: isSummary, distribution: isArrayOf(has(SHARE)) })),
  shard: has({ ...MARK, weight: isCount, changes: isArrayOf(Number.isSafeInteger) }),
});
const isSampledShard = has({
  era: isText,
  rng: isText,
  seeds: isArrayOf(has(SEED)),
  modules: isArrayOf(
    has({ ...MODULE, notLoaded: isCount, distribution: isArrayOf(has({ plts: isCount, boots: isCount })) }),
  ),
  shard: has(MARK),
});

export type ExactShard = ExactDocument & Required<Pick<ExactDocument, 'shard'>>;
export type SampledShard = SampledDocument & Required<Pick<SampledDocument, 'shard'>>;

/**
 * A document of `sweep --shard` from its JSON text. Checks all that merging reads.
 * @throws SweepError BAD_SHARD
 */
export function parseShard(text: string): ExactShard | SampledShard {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new SweepError('BAD_SHARD', `not JSON: ${(cause as Error).message}`, {}, { cause });
  }
  if (!isObject(document) || !('shard' in document)) throw bad('no result of sweep --shard');
  if ('interrupted' in document) throw bad('the sweep was interrupted: this shard is not complete');
  if (!isExactShard(document) && !isSampledShard(document)) throw bad('not as sweep --shard writes it');
  return document as unknown as ExactShard | SampledShard;
}

/**
 * Checks that shards are all the parts of one sweep, and puts them in order.
 * @throws SweepError BAD_SHARD naming what is missing, doubled or foreign
 */
export function requireAllShards<One extends SweepDocument & { readonly shard: Shard & { readonly sweep: string } }>(
  shards: readonly One[],
): One[] {
  const first = shards[0];
  if (!first) throw bad('no shards');
  const { count, sweep } = first.shard;
  const byIndex = new Map<number, One>();
  for (const one of shards) {
    const { index } = one.shard;
    if (one.shard.sweep !== sweep || one.shard.count !== count)
      throw bad(`shard ${index} is of another sweep than shard ${first.shard.index}`);
    if (byIndex.has(index)) throw bad(`shard ${index} of ${count} is there twice`);
    byIndex.set(index, one);
  }
  const missing = [];
  for (let index = 1; index <= count && missing.length < 10; index++) if (!byIndex.has(index)) missing.push(index);
  if (missing.length > 0) throw bad(`shard ${missing.join(', ')} of ${count} is missing`);
  return [...byIndex.values()].sort((a, b) => a.shard.index - b.shard.index);
}
