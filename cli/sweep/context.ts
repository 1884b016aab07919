/** What the options of a sweep come to: the context that its threads work in, and the mark of its shards. */
import { createHash } from 'node:crypto';
import { parseVa } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import type { Machine } from '../../lib/kaslr/place.js';
import { moduleDistances } from '../../lib/sweep/distance-distribution.js';
import type { ShardMark } from '../../lib/sweep/document.js';
import { environmentOf } from '../module-session.js';
import { UsageError } from '../output/error.js';
import { geometryFor, machineOf, type PlacementArguments, parseCount, placeMachine } from '../placement.js';
import type { SweepContext } from './module-work.js';

export type ContextOptions = Omit<PlacementArguments, 'seed'> & {
  readonly 'page-size': string | undefined;
  readonly 'full-region': boolean | undefined;
  readonly 'erratum-843419': boolean | undefined;
  readonly force: boolean | undefined;
  readonly seeds: string | undefined;
  readonly rng: string | undefined;
  readonly shard: string | undefined;
};

/**
 * The machine and the loader that the options describe.
 * @throws PlacementError BAD_LAYOUT for a page size or VA bits that no kernel has
 */
export function contextOf(kernel: Kernel, options: ContextOptions): SweepContext {
  const places = { ...options, seed: undefined };
  const pageSize =
    options['page-size'] === undefined ? kernel.pageSize : parseCount(options['page-size'], '--page-size');
  const machine: Machine = {
    ...machineOf(kernel, places, true),
    geometry: geometryFor({ pageSize, vaBits: kernel.vaBits }, places),
    fullRegion: options['full-region'] ?? kernel.config.fullRegion,
  };
  const text = options.text === undefined ? undefined : parseVa(options.text, '--text');
  if (text !== undefined) placeMachine(machine, { text });
  const { rule: _rule, ...environment } = environmentOf(kernel, {
    'erratum-843419': options['erratum-843419'],
    'module-seed': undefined,
    'module-base': undefined,
  });
  const exports = new Map(Array.from(kernel.exports(), ([name, address]) => [name, address - kernel.linkBase]));
  return {
    machine,
    text,
    version: { major: kernel.banner.major, minor: kernel.banner.minor },
    environment: { ...environment, pageSize },
    exports,
    release: options.force ? undefined : kernel.banner.release,
    distances: options.seeds === undefined ? moduleDistances(machine, text) : undefined,
  };
}

/** What all shards of one sweep share goes into its mark, so that merge knows parts of another. */
export function shardMark(
  options: Pick<ContextOptions, 'shard' | 'seeds' | 'rng'>,
  swept: { names: readonly string[]; order: readonly string[]; context: SweepContext },
): ShardMark | undefined {
  if (options.shard === undefined) return undefined;
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(options.shard) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index >= 1 && shard.index <= shard.count && shard.count <= SHARD_LIMIT)) {
    throw new UsageError(`--shard '${options.shard}' is not I/N with I from 1 to N`);
  }
  const { machine, text, version, environment, exports, release } = swept.context;
  const { names, order } = swept;
  const { seeds, rng } = options;
  const what = { machine, text, version, environment, exports: [...exports], release, names, order, seeds, rng };
  const plain = JSON.stringify(what, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return { ...shard, sweep: createHash('sha256').update(plain).digest('hex') };
}

const SHARD_LIMIT = 100_000;
