import { describe, expect, it } from '@jest/globals';
import { formatVa, type Va, va } from '../../../../lib/address.js';
import { openKernel } from '../../../../lib/image/kernel.js';
import { prepareModule } from '../../../../lib/module/load.js';
import { isInitRegion, loaderRuleOf, type RegionName } from '../../../../lib/module/loader-rule.js';
import { openModule } from '../../../../lib/module/module-file.js';
import { ModuleLoader } from '../../../../lib/module/module-loader.js';
import { placeModules } from '../../../../lib/report/page/module-place.js';
import type { ModuleColumns } from '../../../../lib/report/report-data.js';
import { readSample } from '../../../support/sample.js';

const NAMES = ['exporter', 'importer', 'many_calls', 'mixed', 'percpu', 'large'];

/** What the loader does with the samples, and the columns that the page is given of them. */
async function load(style: string, before: number) {
  const kernel = await openKernel(readSample(`${style}/vmlinux`));
  const text = kernel.linkBase;
  const image = { start: text, end: va(text + kernel.imageSize) };
  const regions = [
    // Room for a few modules before the image, so that others go behind it; then a full one and the fallback.
    { kind: 'direct' as const, base: va(text - before), end: va(image.end + 0x8000) },
    { kind: 'plt' as const, base: va(text - before), end: va(image.end + 2 ** 24) },
  ];
  const environment = {
    rule: loaderRuleOf(kernel.banner),
    pageSize: 4096,
    kallsyms: 'all' as const,
    moduleUnload: true,
    erratum843419: false,
  };
  const exports = kernel.exports();
  const loader = new ModuleLoader({
    environment,
    kernelExport: (name) => exports.get(name),
    image,
    regions,
    keepInit: false,
  });
  const blocks = environment.rule.scheme.regions.filter((region) => !isInitRegion(region));
  const sizes = new Map<RegionName, number[]>(blocks.map((block) => [block, []]));
  const expected: { module: number; block: number; start: Va; end: number }[] = [];
  NAMES.forEach((name, module) => {
    const file = openModule(readSample(`${style}/${name}.ko`), name);
    const { layout } = prepareModule(file, environment);
    const loaded = loader.load(file);
    blocks.forEach((block, index) => {
      const size = layout.sizes.get(block)!;
      sizes.get(block)!.push(size);
      const section = loaded.sections.find((one) => layout.places.get(one.index)?.region === block);
      if (size === 0) return;
      const start = va(section!.address - layout.places.get(section!.index)!.offset);
      expected.push({ module, block: index, start, end: start + size });
    });
  });
  const columns: ModuleColumns = {
    names: NAMES,
    blocks: blocks.map((name) => ({ name, sizes: sizes.get(name)! })),
    branches: [],
    reserved: [],
    refused: [],
  };
  const boot = {
    text: formatVa(text),
    area: { start: formatVa(image.start), end: formatVa(image.end) },
    windows: [],
    regions: regions.map(({ kind, base, end }) => ({ kind, base: formatVa(base), end: formatVa(end) })),
  };
  return {
    placed: placeModules(boot, columns, { pageSize: 4096, isLoaded: () => true }),
    expected,
  };
}

describe('placeModules', () => {
  it.each([
    ['6.1', 0x10000],
    ['6.12', 0x10000],
    ['6.12', 0x3000],
    ['6.1', 2 ** 24],
  ])('puts the modules of %s where the loader does, %d bytes before the image', async (style, before) => {
    const { placed, expected } = await load(style, before);
    expect(placed).toEqual(expected);
  });

  it('leaves out what is not loaded, and goes on', () => {
    const columns: ModuleColumns = {
      names: ['small', 'huge', 'next'],
      blocks: [{ name: 'core', sizes: [4096, 2 ** 30, 4096] }],
      branches: [],
      reserved: [],
      refused: [],
    };
    const base = '0xffff900000000000';
    const boot = {
      text: '0xffff9000f0000000',
      area: { start: '0xffff9000f0000000', end: '0xffff9000f0001000' },
      windows: [],
      regions: [{ kind: 'plt', base, end: '0xffff900080000000' }],
    };
    const loaded = (isLoaded: (module: number) => boolean) =>
      placeModules(boot, columns, { pageSize: 4096, isLoaded }).map(({ module, start }) => [module, formatVa(start)]);
    expect(loaded((module) => module !== 1)).toEqual([
      [0, base],
      [2, '0xffff900000002000'],
    ]);
    expect(loaded(() => true)).toEqual([
      [0, base],
      [1, '0xffff900000002000'],
      [2, '0xffff900040003000'],
    ]);
  });

  it('places nothing where there is no region', () => {
    const [text, end] = ['0xffff900040000000', '0xffff900040001000'];
    const boot = { text, area: { start: text, end }, windows: [], regions: [] };
    const columns = { names: ['a'], blocks: [{ name: 'core', sizes: [1] }], branches: [], reserved: [], refused: [] };
    expect(placeModules(boot, columns, { pageSize: 4096, isLoaded: () => true })).toEqual([]);
  });
});
