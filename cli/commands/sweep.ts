import { availableParallelism } from 'node:os';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { loaderRuleOf } from '../../lib/module/loader-rule.js';
import { isSampled, type SweepDocument } from '../../lib/sweep/document.js';
import { readKernel, readText } from '../input.js';
import { REGION_OPTIONS } from '../module-session.js';
import { aboutFile, UsageError } from '../output/error.js';
import { printSweep } from '../output/sweep.js';
import { PLACEMENT_OPTIONS, parseCount } from '../placement.js';
import { contextOf, shardMark } from '../sweep/context.js';
import { listModules, matchingNames } from '../sweep/module-list.js';
import { SweepPool } from '../sweep/pool.js';
import { type Outcome, runExact, runSampled } from '../sweep/run.js';

const MODE = 'What is swept:';
const WHAT_IF = 'What if:';
const { seed: _seed, ...PLACES } = PLACEMENT_OPTIONS;

const OPTIONS = {
  kernel: { type: 'string', demandOption: true, requiresArg: true, describe: 'vmlinux or Image' },
  modules: {
    type: 'string',
    array: true,
    demandOption: true,
    requiresArg: true,
    describe: 'module objects, or folders of them',
  },
  match: { type: 'string', requiresArg: true, describe: "only modules whose name matches this glob, as 'nf_*'" },
  exact: { type: 'boolean', group: MODE, describe: 'every placement, each module alone (default)' },
  seeds: { type: 'string', requiresArg: true, group: MODE, describe: 'so many random boots, all modules in each' },
  rng: {
    type: 'string',
    requiresArg: true,
    group: MODE,
    describe: 'name of the random stream: the same name draws the same boots (default kaslrkit)',
  },
  order: {
    type: 'string',
    requiresArg: true,
    group: WHAT_IF,
    describe: 'file of module names, one a line: these load first, in this order (with --seeds)',
  },
  'full-region': {
    type: 'boolean',
    group: WHAT_IF,
    describe: 'RANDOMIZE_MODULE_REGION_FULL on, or off with --no-full-region (default: as configured)',
  },
  'page-size': { type: 'string', requiresArg: true, group: WHAT_IF, describe: '4096, 16384 or 65536' },
  'erratum-843419': { ...REGION_OPTIONS['erratum-843419'], group: WHAT_IF },
  ...PLACES,
  force: { type: 'boolean', describe: "sweep modules of another kernel's version magic" },
  threads: { type: 'string', requiresArg: true, describe: 'worker threads (default: one a CPU)' },
  shard: {
    type: 'string',
    requiresArg: true,
    describe: 'only part I of N, as I/N: of the modules, or of the boots (with --json, for merge)',
  },
  csv: { type: 'boolean', describe: 'one line a module' },
  top: { type: 'string', requiresArg: true, describe: 'only so many modules, those that use most' },
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS> & { json?: boolean; quiet?: boolean };

const MODEL = `Exact: every page on which the era lets the module region begin, with its weight (up to 6.4 the 2^21 values of the random \
base; from 6.5 every position of the first box), for each module alone: its regions first fit from there, around the image, init memory beside \
the rest. Calls into other modules count as in range. Seed 0 (no KASLR) is not among the seeds. used is the kernel's counter of core and init PLT \
together, duplicates and the slots that the erratum forbids as the kernel has them; reserved is what count_plts() sets aside.
Sampled: each boot draws a seed and a value for the region, places the image and loads the whole list in order, dependencies first, init memory \
freed before the next; calls between modules count, and so does a region that is full.
Not modelled: memory that anything but modules takes in the region; where per-CPU data goes; modules that fail or unload.`;

export function builder(argv: Argv): Argv {
  return argv
    .options(OPTIONS)
    .conflicts('exact', 'seeds')
    .conflicts('json', 'csv')
    .conflicts('shard', ['top', 'csv'])
    .implies({ rng: 'seeds', order: 'seeds' })
    .example('$0 sweep --kernel vmlinuz --modules /lib/modules/$(uname -r) --top 20', 'over all seeds')
    .example('$0 sweep --kernel vmlinuz --modules /lib/modules/$(uname -r) --seeds 100 --rng ci', 'whole boots')
    .example('$0 sweep --kernel vmlinuz --modules xfs.ko --no-full-region', 'what if modules stay near')
    .example('$0 sweep --kernel vmlinuz --modules /lib/modules/$(uname -r) --shard 1/4 --json > 1.json', 'for merge')
    .epilogue(MODEL);
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const top = options.top === undefined ? undefined : parseCount(options.top, '--top');
  const files = await listModules(options.modules);
  const names = options.match === undefined ? [...files.keys()] : matchingNames(files.keys(), options.match);
  const order = options.order === undefined ? [] : await readOrder(options.order);
  const kernel = await readKernel(options.kernel, options);
  const context = await aboutFile(options.kernel, () => contextOf(kernel, options));
  const shard = shardMark(options, { names, order, context });
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  const threads = threadsOf(options);
  const pool = new SweepPool({ context, threads, signal: controller.signal });
  const run = { pool, era: context.machine.era.key, isQuiet: options.quiet ?? false, shard };
  try {
    const outcome =
      options.seeds === undefined
        ? await runExact(
            run,
            names.map((name) => files.get(name)!),
            context.distances!,
          )
        : await runSampled(
            run,
            { files, names },
            {
              seeds: countOf(options.seeds, '--seeds', 1),
              rng: options.rng ?? 'kaslrkit',
              order,
              reuse: loaderRuleOf(kernel.banner).plt.reuse,
            },
          );
    print(outcome, { ...options, top });
  } finally {
    process.off('SIGINT', interrupt);
    await pool.close();
  }
}

function print(
  { document, isComplete }: Outcome<SweepDocument>,
  output: { json?: boolean; csv?: boolean | undefined; top: number | undefined },
): void {
  const marked: SweepDocument = isComplete ? document : { ...document, interrupted: true };
  printSweep(marked, output);
  if (isComplete) return;
  const done = isSampled(document) ? `${document.seeds.length} boots` : `${document.modules.length} modules`;
  process.stderr.write(`kaslrkit: interrupted; done: ${done}\n`);
  process.exitCode = 130;
}

async function readOrder(file: string): Promise<string[]> {
  const lines = await aboutFile(file, () => readText(file).split('\n'));
  // Lines of /proc/modules, lsmod and modules.load begin with the name, or the path, of a module.
  const names = lines.map((line) => line.trim().split(/\s/)[0]!).filter((word) => word !== '' && !word.startsWith('#'));
  return names.map((word) =>
    word
      .replace(/^.*\//, '')
      .replace(/\.ko(\.\w+)?:?$/, '')
      .replaceAll('-', '_'),
  );
}

function threadsOf({ threads }: Arguments): number {
  return threads === undefined ? availableParallelism() : countOf(threads, '--threads', 1);
}

function countOf(text: string, what: string, least: number): number {
  const count = parseCount(text, what);
  if (count < least) throw new UsageError(`${what} is at least ${least}`);
  return count;
}
