/** All modules of a kernel loaded by one process, and what a relocation costs in it. */
import { readFileSync } from 'node:fs';
import { findModules, readModule } from '../../cli/module-files.js';
import { va } from '../../lib/address.js';
import { openKernel } from '../../lib/image/kernel.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { chooseRegions } from '../../lib/kaslr/module-region.js';
import { place } from '../../lib/kaslr/place.js';
import { inDependencyOrder } from '../../lib/module/dependency.js';
import { prepareModule } from '../../lib/module/load.js';
import { loaderRuleOf } from '../../lib/module/loader-rule.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import { relocateThroughPlt } from '../../lib/plt/relocate.js';
import { PltSection } from '../../lib/plt/section.js';
import { RelocatableSection } from '../../lib/reloc/apply.js';
import { printFigure } from './measure.js';
import type { Yardstick } from './yardstick.js';

const LIMIT_SECONDS = 20;
const LIMIT_MEGABYTES = 1500;
const LIMIT_NANOSECONDS = 25;

export async function benchLoad(yardstick: Yardstick, name: string, kernel: string, folder: string): Promise<void> {
  const modules = await findModules(folder);
  const seed = ['--seed', '0xfedcba9876543210', '--json'];
  const command = [
    process.execPath,
    'dist/cli/main.js',
    'load',
    '--kernel',
    kernel,
    '--modules',
    folder,
    ...seed,
    ...modules.values(),
  ];
  const { seconds, peakMegabytes } = yardstick.run(command);
  const what = `${name}: load ${modules.size.toLocaleString('en-US')} modules, hashes included`;
  printFigure({
    what,
    figure: `${seconds.toFixed(1)} s`,
    yardstick: `limit ${LIMIT_SECONDS} s`,
    ratio: seconds / LIMIT_SECONDS,
    target: 1,
  });
  printFigure({
    what: `${name}: load, peak memory`,
    figure: `${peakMegabytes.toFixed(0)} MB`,
    yardstick: `limit ${LIMIT_MEGABYTES} MB`,
    ratio: peakMegabytes / LIMIT_MEGABYTES,
    target: 1,
  });
  const { nanoseconds, count } = await relocationCost(kernel, modules);
  printFigure({
    what: `${name}: one of ${count.toLocaleString('en-US')} module relocations`,
    figure: `${nanoseconds.toFixed(1)} ns`,
    yardstick: `limit ${LIMIT_NANOSECONDS} ns`,
    ratio: nanoseconds / LIMIT_NANOSECONDS,
    target: 1,
  });
}

/** Loads every module once for its symbols, then times the relocation of its sections alone, symbols resolved, branches in range. */
async function relocationCost(kernelFile: string, modules: ReadonlyMap<string, string>) {
  const kernel = await openKernel(readFileSync(kernelFile));
  const { era, imageSize, linkBase } = kernel;
  const distance = (symbol: string): number => kernel.symbol(symbol)! - linkBase;
  const machine = {
    era,
    imageSize,
    linkBase,
    geometry: geometryOf(kernel),
    stext: distance('_stext'),
    etext: distance('_etext'),
  };
  const placement = place(machine, { seed: 0xfedcba9876543210n });
  const environment = {
    rule: loaderRuleOf(kernel.banner),
    pageSize: kernel.pageSize,
    kallsyms: 'functions' as const,
    moduleUnload: true,
    erratum843419: false,
  };
  const exports = kernel.exports();
  const loader = new ModuleLoader({
    environment,
    kernelExport: (symbol) => (exports.has(symbol) ? va(exports.get(symbol)! + placement.offset) : undefined),
    image: { start: placement.text, end: placement.end },
    regions: chooseRegions(placement.region, 0n),
    keepInit: false,
  });
  let count = 0;
  let elapsed = 0n;
  const open = async (module: string) => (modules.has(module) ? readModule(modules.get(module)!) : undefined);
  for await (const file of inDependencyOrder(modules.keys(), open)) {
    const loaded = loader.load(file);
    const { relocations } = prepareModule(file, environment).frobbed;
    const sections = new Map(loaded.sections.map((section) => [section.index, section]));
    for (const { target, relas } of relocations) {
      const section = sections.get(target);
      if (!section) continue;
      const relocatable = new RelocatableSection(section.bytes, section.address);
      const plt = new PltSection({
        format: environment.rule.plt,
        bytes: new Uint8Array(12 * relas.count + 12),
        address: section.address,
        reserved: relas.count,
        erratum843419: false,
      });
      const start = process.hrtime.bigint();
      for (let i = 0; i < relas.count; i++)
        relocateThroughPlt(relocatable, relas, i, loaded.symbols[relas.symbol(i)] ?? va(0), plt);
      elapsed += process.hrtime.bigint() - start;
      count += relas.count;
    }
  }
  return { nanoseconds: Number(elapsed) / count, count };
}
