import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import type { Machine } from '../../../lib/kaslr/place.js';
import { prepareModule } from '../../../lib/module/load.js';
import { isInitRegion, type LoaderEnvironment, loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { type ModuleFile, openModule } from '../../../lib/module/module-file.js';
import { ModuleLoader } from '../../../lib/module/module-loader.js';
import { binsOf } from '../../../lib/report/distribution.js';
import { ModuleSurvey } from '../../../lib/report/module-survey.js';
import { isMissing, type Part } from '../../../lib/report/report-data.js';
import { moduleDistances } from '../../../lib/sweep/distance-distribution.js';
import { readSample } from '../../support/sample.js';
import { codeOf } from '../../support/thrown.js';

function present<T extends object>(part: Part<T>): T {
  if (isMissing(part)) throw new Error(part.missing);
  return part;
}

const NAMES = ['exporter', 'many_calls', 'mixed', 'init_only', 'percpu'];

const environmentOf = (kernel: Kernel): LoaderEnvironment => ({
  rule: loaderRuleOf(kernel.banner),
  pageSize: kernel.pageSize,
  kallsyms: 'all',
  moduleUnload: true,
  erratum843419: false,
});

async function openSurvey(style: string) {
  const kernel = await openKernel(readSample(`${style}/vmlinux`));
  const exports = kernel.exports();
  const machine: Machine = {
    era: kernel.era,
    geometry: geometryOf(kernel),
    imageSize: kernel.imageSize,
    linkBase: kernel.linkBase,
  };
  const distances = moduleDistances(machine);
  const survey = new ModuleSurvey({
    environment: environmentOf(kernel),
    release: kernel.banner.release,
    kernelExport: (name) => {
      const address = exports.get(name);
      return address === undefined ? undefined : address - kernel.linkBase;
    },
    distances,
  });
  const open = (name: string): ModuleFile => openModule(readSample(`${style}/${name}.ko`), name);
  return { kernel, survey, open, distances };
}

/** PLT entries that the loader uses when a module is loaded alone, its region so far from `_text`. */
function usedAt(kernel: Kernel, file: ModuleFile, distance: number): number {
  const base = va(kernel.linkBase + distance);
  const exports = kernel.exports();
  const loader = new ModuleLoader({
    environment: environmentOf(kernel),
    kernelExport: (name) => exports.get(name),
    image: { start: kernel.linkBase, end: va(kernel.linkBase + kernel.imageSize) },
    regions: [{ kind: 'plt', base, end: va(base + 2 ** 31) }],
    keepInit: true,
  });
  const { core, init } = loader.load(file).plt;
  return core.used + init.used;
}

describe('ModuleSurvey', () => {
  it.each(['6.1', '6.12'])('tells of each module of %s what preparing it tells', async (style) => {
    const { kernel, survey, open } = await openSurvey(style);
    for (const name of NAMES) survey.add(open(name));
    const { names, blocks, branches, reserved, refused } = survey.columns();
    expect([names, refused]).toEqual([NAMES, []]);
    NAMES.forEach((name, i) => {
      const { frobbed, layout } = prepareModule(open(name), environmentOf(kernel));
      expect([branches[i], reserved[i]]).toEqual([frobbed.branches, frobbed.reserved.core + frobbed.reserved.init]);
      const kept = [...layout.sizes].filter(([region]) => !isInitRegion(region));
      expect(blocks.map((block) => [block.name, block.sizes[i]])).toEqual(kept);
    });
  });

  it.each(['6.1', '6.12'])('bounds the PLT entries of %s by what the loader uses far and near', async (style) => {
    const { kernel, survey, open, distances } = await openSurvey(style);
    for (const name of NAMES) survey.add(open(name));
    const plts = present(survey.plts({ missing: 'not asked' }));
    NAMES.forEach((name, i) => {
      const far = usedAt(kernel, open(name), -(2 ** 30));
      const near = usedAt(kernel, open(name), -(2 ** 22));
      expect([plts.min[i], plts.max[i]]).toEqual([near, far]);
      const bins = binsOf(plts.distributions[i]!);
      expect(bins[0]!.from).toBe(near);
      expect(bins.at(-1)!.from <= far && far < bins.at(-1)!.to).toBe(true);
      const mean = bins.reduce((sum, { from, share }) => sum + from * share, 0);
      if (bins.every(({ from, to }) => to === from + 1)) expect(Math.abs(plts.mean[i]! - mean)).toBeLessThan(0.02);
      expect(plts.none[i]! > 0).toBe(near === 0);
    });
    expect(plts.total.max).toBe(plts.max.reduce((sum, count) => sum + count, 0));
    expect(plts.byDistance).toMatchObject({ lowest: distances.lowest, highest: distances.highest });
    expect(plts.byDistance.totals[0]).toBe(plts.total.max);
    expect(plts.total.mean).toBeCloseTo(
      plts.mean.reduce((sum, mean) => sum + mean, 0),
      0,
    );
  });

  it('refuses modules of another kernel, twice the same, and those that miss a symbol, without a trace', async () => {
    const { survey, open } = await openSurvey('6.12');
    survey.add(open('many_calls'));
    const before = JSON.stringify([survey.columns(), survey.plts({ missing: '' })]);
    const foreign = openModule(readSample('6.1/exporter.ko'), 'exporter');
    expect(codeOf(() => survey.add(foreign))).toBe('WRONG_VERMAGIC');
    expect(codeOf(() => survey.add(open('many_calls')))).toBe('ALREADY_LOADED');
    expect(codeOf(() => survey.add(open('importer')))).toBe('UNDEFINED_SYMBOLS');
    expect(JSON.stringify([survey.columns(), survey.plts({ missing: '' })])).toBe(before);
    survey.add(open('exporter'));
    survey.add(open('importer'));
    survey.refuse('bad', 'why');
    expect(survey.columns()).toMatchObject({
      names: ['many_calls', 'exporter', 'importer'],
      refused: [{ name: 'bad', reason: 'why' }],
    });
  });

  it('counts no entries where placements are not known, and says why', async () => {
    const kernel = await openKernel(readSample('6.12/vmlinux'));
    const survey = new ModuleSurvey({
      environment: environmentOf(kernel),
      release: kernel.banner.release,
      kernelExport: () => 0,
      distances: { missing: 'no window' },
    });
    survey.add(openModule(readSample('6.12/many_calls.ko'), 'many_calls'));
    expect(survey.plts({ missing: '' })).toEqual({ missing: 'no window' });
    expect(survey.columns().names).toEqual(['many_calls']);
  });

  it('tells what is wrong with a module that the kernel refuses', async () => {
    const { survey, open } = await openSurvey('6.12');
    expect(codeOf(() => survey.add(open('pic')))).toBe('UNKNOWN_TYPE');
    expect(survey.columns().names).toEqual([]);
    const { rows, rules } = survey.findings();
    expect(rows.some(({ severity, rule }) => severity === 'error' && rules[rule]!.kind === 'got')).toBe(true);
  });
});
