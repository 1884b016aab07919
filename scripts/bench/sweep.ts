/** The sweep over all modules of a kernel: every placement, sampled boots, and how the count of one module grows with its relocations. */
import { readFileSync } from 'node:fs';
import { findModules, readModule } from '../../cli/module-files.js';
import { contextOf } from '../../cli/sweep/context.js';
import { RelaTable } from '../../lib/elf/rela-table.js';
import { openKernel } from '../../lib/image/kernel.js';
import { type PreparedModule, prepareModule } from '../../lib/module/load.js';
import { loaderRuleOf } from '../../lib/module/loader-rule.js';
import { sweepModule } from '../../lib/sweep/exact.js';
import { median, printFigure, processorTime, seconds } from './measure.js';
import type { Yardstick } from './yardstick.js';

const LIMIT = { megabytes: 600, boots: 1000, bootSeconds: 60 };
const RUNS = 3;
const SWEEP = [process.execPath, 'dist/cli/main.js', 'sweep', '--json', '--quiet'];

interface Swept {
  readonly kernel: string;
  readonly folder: string;
}

/** Whole processes: every placement beside llvm-readelf, which only prints the relocations of the same files; then whole boots. */
export async function benchSweep(yardstick: Yardstick, name: string, { kernel, folder }: Swept): Promise<void> {
  const files = [...(await findModules(folder)).values()];
  const command = [...SWEEP, '--kernel', kernel, '--modules', folder];
  const { ours, theirs, ratio } = yardstick.pair(command, ['llvm-readelf', '-rW', ...files], RUNS);
  const what = `${name}: sweep ${files.length.toLocaleString('en-US')} modules`;
  printFigure({
    what: `${what}, every placement`,
    figure: seconds(ours),
    yardstick: `llvm-readelf ${seconds(theirs)}`,
    ratio,
    target: 1,
  });
  printFigure({
    what: `${what}, peak memory`,
    figure: `${ours.peakMegabytes.toFixed(0)} MB`,
    yardstick: `limit ${LIMIT.megabytes} MB`,
    ratio: ours.peakMegabytes / LIMIT.megabytes,
    target: 1,
  });
  const boots = yardstick.run([...command, '--seeds', String(LIMIT.boots), '--rng', 'bench']);
  printFigure({
    what: `${what}, ${LIMIT.boots.toLocaleString('en-US')} boots`,
    figure: seconds(boots),
    yardstick: `limit ${LIMIT.bootSeconds} s wall`,
    ratio: boots.wall / LIMIT.bootSeconds,
    target: 1,
  });
}

const TIMES = [1, 2, 4] as const;
const WARM_UP = 10;
const ROUNDS = 15;

/** The module with the most relocations, its tables once, twice and four times in a row: a cost that is linear stays the same for each. */
export async function benchSweepGrowth(name: string, { kernel: kernelFile, folder }: Swept): Promise<void> {
  const kernel = await openKernel(readFileSync(kernelFile));
  const { exports, distances, environment, version } = contextOf(kernel, NO_OPTIONS);
  const largest = await largestModule(folder, { ...environment, rule: loaderRuleOf(version) });
  const count = relocationCount(largest);
  const sweeps = TIMES.map((times) => {
    const module = repeated(largest, times);
    return () =>
      processorTime(() => sweepModule(module, (symbol) => exports.get(symbol), distances!)) / (times * count);
  });
  // In turn, so that a machine whose speed drifts slows all; the first rounds are for the compiler.
  const rounds = Array.from({ length: WARM_UP + ROUNDS }, () => sweeps.map((sweep) => sweep())).slice(WARM_UP);
  const each = sweeps.map((_, i) => median(rounds.map((round) => round[i]!)));
  TIMES.forEach((times, i) => {
    printFigure({
      what: `${name}: sweep ${largest.file.name} with ${(times * count).toLocaleString('en-US')} relocations`,
      figure: `${each[i]!.toFixed(1)} ns each`,
      yardstick: `once ${each[0]!.toFixed(1)} ns`,
      ratio: each[i]! / each[0]!,
    });
  });
}

const NO_OPTIONS = {
  text: undefined,
  phys: undefined,
  'va-bits': undefined,
  era: undefined,
  config: undefined,
  'page-size': undefined,
  'full-region': undefined,
  'erratum-843419': undefined,
  force: undefined,
  seeds: undefined,
  rng: undefined,
  shard: undefined,
};

const relocationCount = ({ frobbed }: PreparedModule): number =>
  frobbed.relocations.reduce((sum, { relas }) => sum + relas.count, 0);

async function largestModule(folder: string, environment: PreparedModule['environment']): Promise<PreparedModule> {
  let largest: PreparedModule | undefined;
  for (const path of (await findModules(folder)).values()) {
    const module = prepareModule(await readModule(path), environment);
    if (!largest || relocationCount(module) > relocationCount(largest)) largest = module;
  }
  return largest!;
}

function repeated(module: PreparedModule, times: number): PreparedModule {
  const relocations = module.frobbed.relocations.map(({ target, relas: { words } }) => {
    const copies = new Int32Array(words.length * times);
    for (let copy = 0; copy < times; copy++) copies.set(words, copy * words.length);
    return { target, relas: new RelaTable(new Uint8Array(copies.buffer)) };
  });
  return { ...module, frobbed: { ...module.frobbed, relocations } };
}
