import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { openKernel } from '../../../lib/image/kernel.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { chooseRegions } from '../../../lib/kaslr/module-region.js';
import { type Machine, place } from '../../../lib/kaslr/place.js';
import { prepareModule } from '../../../lib/module/load.js';
import { loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { openModule } from '../../../lib/module/module-file.js';
import { ModuleLoader } from '../../../lib/module/module-loader.js';
import { placedBoot } from '../../../lib/report/boot.js';
import { countBoots } from '../../../lib/report/boot-count.js';
import { drawBoots } from '../../../lib/sweep/boot.js';
import { moduleColumn } from '../../../lib/sweep/module-column.js';
import { readSample } from '../../support/sample.js';

const NAMES = ['exporter', 'importer', 'many_calls', 'mixed', 'percpu', 'large'];
const BOOTS = 12;

async function open(style: string, names: readonly string[]) {
  const kernel = await openKernel(readSample(`${style}/vmlinux`));
  const environment = {
    rule: loaderRuleOf(kernel.banner),
    pageSize: 4096,
    kallsyms: 'all' as const,
    moduleUnload: true,
    erratum843419: false,
  };
  const { era, imageSize, linkBase } = kernel;
  const machine: Machine = { era, imageSize, linkBase, geometry: geometryOf(kernel) };
  const stream = drawBoots('test');
  const drawn = Array.from({ length: BOOTS }, () => stream.next().value);
  // Of the first eras this seed leaves the image where it was linked, with KASLR on all the same.
  const boots = [...drawn, { seed: 1n, moduleSeed: 1n }].map((boot) =>
    placedBoot(place(machine, { seed: boot.seed }), boot),
  );
  const files = names.map((name) => openModule(readSample(`${style}/${name}.ko`), name));
  return { kernel, environment, machine, boots, files };
}

describe('countBoots', () => {
  it.each([
    ['4.6', ['large']],
    ['6.1', NAMES],
    ['6.12', NAMES],
  ])('counts what the loader uses of %s, boot by boot', async (style, names) => {
    const { kernel, environment, machine, boots, files } = await open(style, names);
    const exports = kernel.exports();
    const offsetOf = (name: string) => {
      const address = exports.get(name);
      return address === undefined ? undefined : address - kernel.linkBase;
    };
    const modules = files.map((file) => moduleColumn(prepareModule(file, environment), offsetOf));
    const { totals, pattern, patterns } = countBoots(boots, { machine, environment, modules });

    const loaded = boots.map(({ placement: { area, offset, region }, random }) => {
      const loader = new ModuleLoader({
        environment,
        kernelExport: (name) => {
          const address = exports.get(name);
          return address === undefined ? undefined : va(address + offset);
        },
        image: area,
        regions: chooseRegions(region, random),
        keepInit: false,
      });
      return files.map((file) => {
        const { core, init } = loader.load(file).plt;
        return core.used + init.used;
      });
    });
    expect(pattern.map((index) => patterns[index])).toEqual(loaded);
    expect(totals).toEqual(loaded.map((counts) => counts.reduce((sum, count) => sum + count, 0)));
    expect(new Set(patterns.map(String)).size).toBe(patterns.length);
  });

  it('counts nothing of no modules', async () => {
    const { environment, machine, boots } = await open('6.12', []);
    expect(countBoots(boots, { machine, environment, modules: [] })).toEqual({
      totals: boots.map(() => 0),
      pattern: boots.map(() => 0),
      patterns: [[]],
    });
  });
});
