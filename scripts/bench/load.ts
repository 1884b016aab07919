/** All modules of a kernel loaded by one process, and what a relocation costs in it. */
import { readFileSync } from 'node:fs';
import { findModules, readModule } from '../../cli/module-files.js';
import { environmentOf, exportsAt, regionsOf } from '../../cli/module-session.js';
import { placeKernel } from '../../cli/placement.js';
import { openKernel } from '../../lib/image/kernel.js';
import { inDependencyOrder } from '../../lib/module/dependency.js';
import { type PreparedModule, prepareModule } from '../../lib/module/load.js';
import type { LoadedModule } from '../../lib/module/loaded-module.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import { relocateModule } from '../../lib/module/module-relocation.js';
import { printFigure, seconds } from './measure.js';
import type { Yardstick } from './yardstick.js';

const LIMIT = { seconds: 20, megabytes: 1500, nanoseconds: 25 };
const RUNS = 3;
/** A module's relocations take a fraction of a time slice: the quickest of a few goes is one without interruption. */
const REPEATS = 3;
const SEED = '0xfedcba9876543210';

export async function benchLoad(
  yardstick: Yardstick,
  name: string,
  { kernel, folder }: { kernel: string; folder: string },
): Promise<void> {
  const modules = await findModules(folder);
  const files = [...modules.values()];
  const common = ['load', '--kernel', kernel, '--modules', folder, '--seed', SEED, '--json'];
  const command = [process.execPath, 'dist/cli/main.js', ...common, ...files];
  const { ours, theirs, ratio } = yardstick.pair(command, ['sha256sum', ...files], RUNS);
  const what = `${name}: load ${modules.size.toLocaleString('en-US')} modules, hashes included`;
  printFigure({
    what,
    figure: seconds(ours),
    yardstick: `limit ${LIMIT.seconds} s`,
    ratio: ours.processor / LIMIT.seconds,
    target: 1,
  });
  printFigure({ what, figure: seconds(ours), yardstick: `sha256sum ${seconds(theirs)}`, ratio });
  printFigure({
    what: `${name}: load, peak memory`,
    figure: `${ours.peakMegabytes.toFixed(0)} MB`,
    yardstick: `limit ${LIMIT.megabytes} MB`,
    ratio: ours.peakMegabytes / LIMIT.megabytes,
    target: 1,
  });
}

/** One relocation of a module's sections, symbols resolved, where the seed puts the module: far from the kernel in nearly all boots. */
export async function benchModuleRelocation(name: string, kernelFile: string, folder: string): Promise<void> {
  const options = {
    seed: SEED,
    text: undefined,
    phys: undefined,
    'va-bits': undefined,
    era: undefined,
    config: undefined,
  };
  const region = { 'module-seed': undefined, 'module-base': undefined, 'erratum-843419': undefined };
  const kernel = await openKernel(readFileSync(kernelFile));
  const placement = placeKernel(kernel, options, true);
  const environment = environmentOf(kernel, region);
  const loader = new ModuleLoader({
    environment,
    kernelExport: await exportsAt(kernel, placement.offset, undefined),
    image: placement.area,
    regions: regionsOf(placement, kernel, { ...options, ...region }),
    keepInit: false,
  });
  const modules = await findModules(folder);
  const open = async (module: string) => (modules.has(module) ? readModule(modules.get(module)!) : undefined);
  let count = 0;
  let elapsed = 0;
  for await (const file of inDependencyOrder(modules.keys(), open)) {
    const job = relocationJob(prepareModule(file, environment), loader.load(file));
    const times = Array.from({ length: REPEATS }, () => {
      const start = performance.now();
      count += job();
      return (performance.now() - start) * 1e6;
    });
    elapsed += REPEATS * Math.min(...times);
  }
  printFigure({
    what: `${name}: one of ${(count / REPEATS).toLocaleString('en-US')} module relocations`,
    figure: `${(elapsed / count).toFixed(1)} ns`,
    yardstick: `limit ${LIMIT.nanoseconds} ns`,
    ratio: elapsed / count / LIMIT.nanoseconds,
    target: 1,
  });
}

/** Relocates a loaded module once more, and returns how many relocations that took. */
function relocationJob(prepared: PreparedModule, { sections, symbols }: LoadedModule): () => number {
  const memory = { sections: new Map(sections.map((section) => [section.index, section])), symbols };
  const { relocations } = prepared.frobbed;
  const count = relocations.reduce(
    (sum, { target, relas }) => sum + (memory.sections.has(target) ? relas.count : 0),
    0,
  );
  return () => {
    relocateModule(prepared, memory);
    return count;
  };
}
