/**
 * Conformance: real kernels boot under QEMU, and what they did is compared with what kaslrkit says they do.
 *
 * Standard output gets a line for each boot, totals, and last `conformance: N passed, N failed`. Exit 0 if all passed,
 * 1 if not, 2 if nothing could be tried.
 */
import { exitCodeOf, reportError } from '../../cli/output/error.js';
import { writeOutput } from '../../cli/output/file.js';
import { formatU64 } from '../../lib/address.js';
import { type BootResult, boot } from './boot.js';
import { qemuVersion } from './machine.js';
import { drawModules } from './module-selection.js';
import { HELP, type Options, parseOptions } from './option.js';
import { countOutcomes, describeBoot, describeRun, markdownReport } from './report.js';
import { selfTest } from './self-test.js';
import { openSeries, type Series } from './series.js';
import { UNTOUCHED } from './tamper.js';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** How to do a failed boot again. */
function repetition({ kernelFile, treeFolder, cpu, modules }: Series, seed: bigint): string {
  const count = Number.isFinite(modules) ? modules : 'all';
  const tree = treeFolder === undefined ? '' : ` --modules ${treeFolder} --count ${count}`;
  return `    again: npm run conformance -- --kernel ${kernelFile}${tree} --cpu ${cpu} --seed ${formatU64(seed)}`;
}

async function bootSeries(series: Series, timeout: number): Promise<BootResult[]> {
  const { kernel, cpu, tree } = series;
  const results: BootResult[] = [];
  for (const seed of series.seeds) {
    const modules = await drawModules(tree, seed, series.modules);
    const result = await boot({ kernel, cpu, seed, modules, timeout, tamper: UNTOUCHED });
    print(describeBoot(result));
    if (countOutcomes([result]).failed > 0) print(repetition(series, seed));
    results.push(result);
  }
  return results;
}

async function runBoots(options: Options, qemu: string): Promise<{ passed: number; failed: number }> {
  const results: BootResult[] = [];
  for (const series of await openSeries(options)) results.push(...(await bootSeries(series, options.timeout)));
  print(describeRun(results));
  if (options.markdown !== undefined) await writeOutput(options.markdown, markdownReport(results, qemu));
  return countOutcomes(results);
}

/** Once for each kernel and CPU: what is tested is the harness. */
async function runSelfTest(options: Options): Promise<{ passed: number; failed: number }> {
  const counts = { passed: 0, failed: 0 };
  for (const { kernel, cpu, tree, seeds, modules: count } of await openSeries(options)) {
    const seed = seeds[0] ?? 1n;
    const modules = await drawModules(tree, seed, Math.min(count, 10));
    print(`${kernel.banner.release} on ${cpu}, seed ${formatU64(seed)}`);
    for (const { fault, found, detail } of await selfTest({ kernel, cpu, seed, modules, timeout: options.timeout })) {
      print(`${found ? 'ok    ' : 'FAILED'} ${fault}: ${detail}`);
      counts[found ? 'passed' : 'failed']++;
    }
  }
  return counts;
}

// An end by signal must run what is to be done at exit.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(HELP);
  else {
    const qemu = await qemuVersion();
    print(qemu);
    const { passed, failed } = options.selfTest ? await runSelfTest(options) : await runBoots(options, qemu);
    print(`conformance: ${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  }
} catch (error) {
  const code = exitCodeOf(error);
  // Only a bug's stack tells anybody anything.
  reportError(error, code === 70);
  process.exitCode = code;
}
