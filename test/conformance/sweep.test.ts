/**
 * Counts of a sweep against those of booted kernels: with every module where it was recorded, calls between modules included, and
 * alone at its recorded distance from the kernel, where the exact sweep's step function must have the same value.
 *
 * In the recordings every call from module to module was in range, which is what the exact sweep takes for granted.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { environmentOf } from '../../cli/module-session.js';
import { machineOf } from '../../cli/placement.js';
import { listModules } from '../../cli/sweep/module-list.js';
import { unpack } from '../../lib/image/container.js';
import { openKernel } from '../../lib/image/kernel.js';
import type { Machine } from '../../lib/kaslr/place.js';
import { type PreparedModule, prepareModule } from '../../lib/module/load.js';
import { isInitRegion, type LoaderEnvironment } from '../../lib/module/loader-rule.js';
import { openModule } from '../../lib/module/module-file.js';
import { moduleDistances, weightBelow } from '../../lib/sweep/distance-distribution.js';
import { sweepModule } from '../../lib/sweep/exact.js';
import { linkModules } from '../../lib/sweep/linked-modules.js';
import { moduleColumn } from '../../lib/sweep/module-column.js';
import { BootSweep } from '../../lib/sweep/sampled.js';
import { describeKernel, oraclesIn } from './support/kernels.js';

interface Recording {
  kernel: string;
  kernelSha256: string;
  text: number;
  modules: { name: string; plt: Record<string, number>; sections: [name: string, address: number][] }[];
}

const MINUTES = 60_000;
const NO_PLACE = {
  seed: undefined,
  text: undefined,
  phys: undefined,
  'va-bits': undefined,
  era: undefined,
  config: undefined,
};
const NO_REGION = { 'module-seed': undefined, 'module-base': undefined, 'erratum-843419': undefined };

const recordings = oraclesIn('modules').map(
  (name) => JSON.parse(gunzipSync(readFileSync(new URL(name, import.meta.url))).toString('utf8')) as Recording,
);

/** The recorded address of each region: that of any section in it, less where the section is. */
function basesOf(prepared: PreparedModule, sections: Recording['modules'][number]['sections']): number[] {
  const { scheme } = prepared.environment.rule;
  const bases = scheme.regions.map(() => Number.NaN);
  for (const [index, { region, offset }] of prepared.layout.places) {
    const named = sections.filter(([name]) => name === prepared.file.elf.sections[index]!.name);
    if (named.length === 1) bases[scheme.regions.indexOf(region)] = named[0]![1] - offset;
  }
  return bases;
}

describe.each(recordings)('$kernel', ({ kernel: id, kernelSha256, text, modules }) => {
  describeKernel(id, kernelSha256, (path) => {
    let environment: LoaderEnvironment;
    let machine: Machine;
    let offsets: Map<string, number>;
    let prepared: PreparedModule[];
    const recorded = modules.map(({ name, plt }) => `${name} ${(plt['.plt'] ?? 0) + (plt['.init.plt'] ?? 0)}`);

    beforeAll(async () => {
      const kernel = await openKernel(readFileSync(path));
      const files = await listModules([dirname(path).replace(/\/boot$/, '')]);
      environment = environmentOf(kernel, NO_REGION);
      machine = machineOf(kernel, NO_PLACE, true);
      offsets = new Map(Array.from(kernel.exports(), ([name, address]) => [name, address - kernel.linkBase]));
      prepared = [];
      for (const { name } of modules) {
        const { bytes } = await unpack(readFileSync(files.get(name)!));
        prepared.push(prepareModule(openModule(bytes, name), environment));
      }
    }, 5 * MINUTES);

    it('has the recorded counts with every module where it was', () => {
      const columns = prepared.map((one) => moduleColumn(one, (name) => offsets.get(name)));
      const { scheme, plt } = environment.rule;
      const linked = linkModules(columns, plt.reuse);
      const sweep = new BootSweep(linked, { machine, text: undefined, isInit: scheme.regions.map(isInitRegion) });
      const addresses = Float64Array.from(prepared.flatMap((one, i) => basesOf(one, modules[i]!.sections)));
      expect(modules.map(({ name }, i) => `${name} ${sweep.count(i, text, addresses)}`)).toEqual(recorded);
    });

    it('has them in the exact sweep at the recorded distance', () => {
      const distances = moduleDistances(machine);
      const counts = prepared.map((one, i) => {
        const { starts, counts } = sweepModule(one, (name) => offsets.get(name), distances);
        const distance = Math.min(...basesOf(one, modules[i]!.sections).filter((base) => !Number.isNaN(base))) - text;
        const weight = weightBelow(distances, Math.max(distance, distances.lowest));
        return `${one.file.name} ${counts[starts.findLastIndex((start) => start <= weight)]}`;
      });
      expect(counts).toEqual(recorded);
    });
  });
});
