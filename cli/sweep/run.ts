/** The two ways to sweep, from module files to a document: over every placement, or over boots drawn by name. */

import type { PltFormat } from '../../lib/plt/format.js';
import { type Boot, drawBoots } from '../../lib/sweep/boot.js';
import type { DistanceDistribution } from '../../lib/sweep/distance-distribution.js';
import {
  type ExactDocument,
  exactDocument,
  type SampledDocument,
  type ShardMark,
  sampledDocument,
} from '../../lib/sweep/document.js';
import { linkModules } from '../../lib/sweep/linked-modules.js';
import { loadOrder } from '../../lib/sweep/load-order.js';
import type { ModuleColumn } from '../../lib/sweep/module-column.js';
import type { BootResult } from '../../lib/sweep/sampled.js';
import { shareOf } from '../../lib/sweep/shard.js';
import { type Progress, startProgress } from '../output/progress.js';
import type { SweepPool } from './pool.js';

/** Modules and boots in one task: few enough that the bar moves and threads end together. */
const MODULES_A_TASK = 24;
const BOOTS_A_TASK = 8;

export interface Run {
  readonly pool: SweepPool;
  readonly era: string;
  readonly isQuiet: boolean;
  readonly shard: ShardMark | undefined;
}

/** A document, and whether an interrupt cut it short. */
export interface Outcome<Document> {
  readonly document: Document;
  readonly isComplete: boolean;
}

export async function runExact(
  { pool, era, isQuiet, shard }: Run,
  files: readonly string[],
  distances: DistanceDistribution,
): Promise<Outcome<ExactDocument>> {
  const tasks = inTasks(shard ? shareOf(files, shard) : files, MODULES_A_TASK);
  const results = await watched('modules', tasks, isQuiet, (onDone) => pool.run('exact', tasks, onDone));
  const done = results.flatMap((result) => result ?? []);
  return { document: exactDocument(era, done, distances, shard), isComplete: !results.includes(undefined) };
}

export interface Sampling {
  readonly seeds: number;
  readonly rng: string;
  /** Names of modules to load first, in order. */
  readonly order: readonly string[];
  readonly reuse: PltFormat['reuse'];
}

/**
 * @param files every module there is by name; dependencies are taken from it
 * @param names what to load
 */
export async function runSampled(
  { pool, era, isQuiet, shard }: Run,
  { files, names }: { readonly files: ReadonlyMap<string, string>; readonly names: readonly string[] },
  { seeds, rng, order, reuse }: Sampling,
): Promise<Outcome<SampledDocument>> {
  const columns = await columnsOf(pool, { files, names, isQuiet });
  if (!columns) {
    return { document: sampledDocument({ era, rng, modules: [], boots: [], shard }), isComplete: false };
  }
  const ordered = loadOrder(columns, order);
  const modules = linkModules(ordered, reuse);
  const numbered = firstBoots(rng, seeds).map((boot, i) => ({ number: i, boot }));
  const tasks = inTasks(shard ? shareOf(numbered, shard) : numbered, BOOTS_A_TASK);
  const work = tasks.map((task) => ({ modules, boots: task.map(({ boot }) => boot) }));
  const results = await watched('boots', tasks, isQuiet, (onDone) => pool.run('boots', work, onDone));
  const boots = tasks.flatMap((task, t) =>
    (results[t] ?? []).map((result: BootResult, i: number) => ({ boot: task[i]!.number, result })),
  );
  const document = sampledDocument({ era, rng, modules: ordered, boots, shard });
  return { document, isComplete: !results.includes(undefined) };
}

/** The columns of what is to be loaded and of all it depends on, in that order; undefined if interrupted. */
async function columnsOf(
  pool: SweepPool,
  { files, names, isQuiet }: { files: ReadonlyMap<string, string>; names: readonly string[]; isQuiet: boolean },
): Promise<ModuleColumn[] | undefined> {
  const columns: ModuleColumn[] = [];
  const asked = new Set<string>();
  for (let wanted = names; wanted.length > 0; ) {
    for (const name of wanted) asked.add(name);
    const tasks = inTasks(
      wanted.map((name) => files.get(name)!),
      MODULES_A_TASK,
    );
    const results = await watched('modules', tasks, isQuiet, (onDone) => pool.run('columns', tasks, onDone));
    if (results.includes(undefined)) return undefined;
    const found = results.flatMap((result) => result ?? []);
    columns.push(...found);
    wanted = [...new Set(found.flatMap(({ depends }) => depends))].filter(
      (name) => files.has(name) && !asked.has(name),
    );
  }
  return columns;
}

function firstBoots(rng: string, count: number): Boot[] {
  const stream = drawBoots(rng);
  return Array.from({ length: count }, () => stream.next().value);
}

function inTasks<Item>(items: readonly Item[], size: number): Item[][] {
  const tasks: Item[][] = [];
  for (let start = 0; start < items.length; start += size) tasks.push(items.slice(start, start + size));
  return tasks;
}

/** Shows how many of the tasks' items are done while `work` runs. */
async function watched<Result>(
  what: string,
  tasks: readonly (readonly unknown[])[],
  isQuiet: boolean,
  work: (onDone: (index: number) => void) => Promise<Result>,
): Promise<Result> {
  const total = tasks.reduce((sum, { length }) => sum + length, 0);
  const progress: Progress = startProgress(what, total, isQuiet);
  try {
    return await work((index) => progress.add(tasks[index]!.length));
  } finally {
    progress.stop();
  }
}
