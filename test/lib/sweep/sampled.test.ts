/** Sampled boots: against the loader that really loads the list, and against the exact sweep within the samples' own error. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { chooseRegions, type ModuleRegion } from '../../../lib/kaslr/module-region.js';
import { place } from '../../../lib/kaslr/place.js';
import { prepareModule } from '../../../lib/module/load.js';
import { isInitRegion } from '../../../lib/module/loader-rule.js';
import { type ModuleFile, openModule } from '../../../lib/module/module-file.js';
import { ModuleLoader } from '../../../lib/module/module-loader.js';
import { type Boot, drawBoots } from '../../../lib/sweep/boot.js';
import { moduleDistances, totalWeight } from '../../../lib/sweep/distance-distribution.js';
import { sweepModule } from '../../../lib/sweep/exact.js';
import { Histogram } from '../../../lib/sweep/histogram.js';
import { type LinkedModules, linkModules } from '../../../lib/sweep/linked-modules.js';
import { moduleColumn } from '../../../lib/sweep/module-column.js';
import { BootSweep, NOT_LOADED } from '../../../lib/sweep/sampled.js';
import { ALLOC, buildModule, EXEC, type ObjectSection } from '../../support/object-file.js';
import { codeOf } from '../../support/thrown.js';
import { type SweepCase, sampleCase, sampleModule } from './support.js';

function firstBoots(name: string, count: number): Boot[] {
  const stream = drawBoots(name);
  return Array.from({ length: count }, () => stream.next().value);
}

const isInit = ({ environment }: SweepCase): boolean[] => environment.rule.scheme.regions.map(isInitRegion);

function link(files: readonly ModuleFile[], { environment, kernelExport }: SweepCase): LinkedModules {
  const columns = files.map((file) => moduleColumn(prepareModule(file, environment), kernelExport));
  return linkModules(columns, environment.rule.plt.reuse);
}

function sweepOf(files: readonly ModuleFile[], one: SweepCase): BootSweep {
  return new BootSweep(link(files, one), { machine: one.machine, text: undefined, isInit: isInit(one) });
}

/** Core and init entries of each module, as the loader loads one after the other. */
function loadedCounts(files: readonly ModuleFile[], one: SweepCase, { seed, moduleSeed }: Boot): number[] {
  const { machine, environment, kernelExport } = one;
  const { text, area, region } = place(machine, { seed });
  const regions: ModuleRegion[] = chooseRegions(region, machine.era.moduleSeed === 'image' ? seed : moduleSeed);
  const loader = new ModuleLoader({
    environment,
    kernelExport: (name) => {
      const offset = kernelExport(name);
      return offset === undefined ? undefined : va(text + offset);
    },
    image: area,
    regions,
    keepInit: false,
  });
  return files.map((file) => {
    const { plt } = loader.load(file);
    return plt.core.used + plt.init.used;
  });
}

/** Not percpu: the per-CPU area must lie within reach of ADRP, where no seed puts it. */
const LIST = ['exporter', 'many_calls', 'importer', 'init_only', 'large', 'erratum'];

describe.each([
  ['6.1/Image', {}],
  ['6.1/Image', { fullRegion: false }],
  ['6.1/Image', { erratum843419: true }],
  ['6.12/Image.gz', {}],
  ['6.12/Image.gz', { fullRegion: false }],
  ['6.12/Image.gz', { erratum843419: true }],
] as const)('boots of %s %j', (image, changes) => {
  it('count what the loader counts, module by module', async () => {
    const one = await sampleCase(image, changes);
    const files = LIST.map((name) => openModule(sampleModule(`${image.split('/')[0]}/${name}.ko`), name));
    const sweep = sweepOf(files, one);
    for (const boot of firstBoots('loader', 40)) {
      const { counts, text, seed } = sweep.run(boot);
      expect({ seed, text }).toEqual({ seed: boot.seed, text: place(one.machine, boot).text });
      expect(Array.from(counts)).toEqual(loadedCounts(files, one, boot));
    }
  });
});

describe('a module on its own', () => {
  it.each(['6.1', '6.12'])('%s: samples agree with the exact distribution', async (version) => {
    const one = await sampleCase(version === '6.1' ? '6.1/Image' : '6.12/Image.gz');
    const file = openModule(sampleModule(`${version}/many_calls.ko`), 'many_calls');
    const distances = moduleDistances(one.machine);
    const steps = sweepModule(prepareModule(file, one.environment), one.kernelExport, distances);
    const exact = Histogram.ofSteps(steps, totalWeight(distances));
    const sweep = sweepOf([file], one);
    const sampled = new Histogram();
    const BOOTS = 4000;
    for (const boot of firstBoots('agreement', BOOTS)) sampled.add(sweep.run(boot).counts[0]!, 1);
    const shares = new Map(sampled.distribution().map(({ plts, probability }) => [plts, probability]));
    const probabilities = new Map(exact.distribution().map(({ plts, probability }) => [plts, probability]));
    for (const plts of shares.keys()) expect(probabilities.has(plts)).toBe(true);
    for (const [plts, p] of probabilities) {
      const error = Math.sqrt((p * (1 - p)) / BOOTS);
      expect(Math.abs((shares.get(plts) ?? 0) - p)).toBeLessThan(4 * error + 1 / BOOTS);
    }
    const variance = exact
      .distribution()
      .reduce((sum, { plts, probability }) => sum + probability * (plts - exact.summary()!.mean) ** 2, 0);
    const difference = sampled.summary()!.mean - exact.summary()!.mean;
    expect(Math.abs(difference)).toBeLessThan(4 * Math.sqrt(variance / BOOTS));
  });
});

describe('a region that runs full', () => {
  let one: SweepCase;
  beforeAll(async () => {
    one = await sampleCase('6.1/Image');
  });

  const built = (name: string, size: number, ...modinfo: string[]): ModuleFile => {
    const sections: ObjectSection[] = [
      { name: '.text', flags: ALLOC | EXEC, align: 4, data: new Uint8Array(16) },
      { name: '.bss', type: 8, flags: ALLOC | 1, align: 4096, size },
    ];
    return openModule(buildModule({ sections }, `name=${name}`, ...modinfo), name);
  };

  it('leaves out what finds no room and what depends on that, and goes on', () => {
    // Of 60 MiB and a guard page each 34 would fill 2 GiB without the image.
    const large = Array.from({ length: 40 }, (_, i) => built(`large${i}`, 60 * 2 ** 20));
    const files = [...large, built('small', 4096), built('dependent', 4096, 'depends=large39')];
    const sweep = sweepOf(files, one);
    for (const boot of firstBoots('full', 5)) {
      const { counts } = sweep.run(boot);
      const loaded = Array.from(counts, (count) => count !== NOT_LOADED);
      expect([32, 33, 34]).toContain(loaded.slice(0, 40).filter(Boolean).length);
      expect(loaded.slice(0, 32)).not.toContain(false);
      expect(loaded.slice(39)).toEqual([false, true, false]);
    }
  });
});

describe('linking', () => {
  it('takes an export from the first module that has it, by what its __ksymtab entry points to', async () => {
    const one = await sampleCase('6.1/Image');
    const open = (name: string): ModuleFile => openModule(sampleModule(`6.1/${name}.ko`), name);
    expect(codeOf(() => link([open('importer')], one))).toBe('UNDEFINED_SYMBOLS');
    // exporter holds a static function named like an export: that both agree shows which one is taken.
    const files = [open('exporter'), open('importer')];
    const { needs } = link(files, one);
    expect(needs).toEqual([[], [0]]);
    const prepared = files.map((file) => prepareModule(file, one.environment));
    const { exports } = moduleColumn(prepared[0]!, one.kernelExport);
    const { text, area } = place(one.machine, { seed: 1n << 44n });
    const base = va(text - 2 ** 24);
    const loader = new ModuleLoader({
      environment: one.environment,
      kernelExport: (name) => (one.kernelExport(name) === undefined ? undefined : va(text + one.kernelExport(name)!)),
      image: area,
      regions: [{ kind: 'plt', base, end: va(base + 2 ** 24) }],
      keepInit: true,
    });
    const loaded = loader.load(files[0]!);
    const own = exports.names.filter((_, i) => exports.frames[i]! >= 0);
    expect(own.length).toBeGreaterThan(3);
    expect([...loaded.exports.keys()].sort()).toEqual([...exports.names].sort());
    exports.names.forEach((name, i) => {
      if (exports.frames[i] === 0) expect(loaded.exports.get(name)).toBe(base + exports.offsets[i]!);
    });
  });
});

describe('drawBoots', () => {
  it('draws the same boots by the same name', () => {
    expect(firstBoots('a', 3)).toEqual(firstBoots('a', 5).slice(0, 3));
    expect(firstBoots('a', 3)).not.toEqual(firstBoots('b', 3));
  });

  it('uses all 64 bits', () => {
    const all = firstBoots('bits', 200).flatMap(({ seed, moduleSeed }) => [seed, moduleSeed]);
    expect(all.reduce((bits, seed) => bits | seed, 0n)).toBe(2n ** 64n - 1n);
    expect(all.reduce((bits, seed) => bits & seed, 2n ** 64n - 1n)).toBe(0n);
    expect(new Set(all).size).toBe(400);
  });
});
