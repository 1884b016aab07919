/**
 * The exact sweep against brute force: the module is loaded, relocated and its PLTs counted at every page of windows in which
 * something can change, and at random branch sets where no real module has been.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { place } from '../../../lib/kaslr/place.js';
import { prepareModule } from '../../../lib/module/load.js';
import { openModule } from '../../../lib/module/module-file.js';
import type { DistanceDistribution } from '../../../lib/sweep/distance-distribution.js';
import { sweepModule } from '../../../lib/sweep/exact.js';
import type { PlacementSteps } from '../../../lib/sweep/placement-steps.js';
import { ALLOC, buildModule, EXEC, type ObjectRelocation, WEAK, WRITE } from '../../support/object-file.js';
import { loadedCount, type SweepCase, sampleCase, sampleModule, sweptCount, UNREACHABLE } from './support.js';

const REACH = 2 ** 27;

/** Every page position of `[lowest, highest]` with weight one: what the sweep is, apart from the weights. */
function everyPage(lowest: number, highest: number, { machine }: SweepCase): DistanceDistribution {
  const { text, area: taken } = place(machine, { seed: 1n << 44n });
  const area = { start: taken.start - text, end: taken.end - text };
  const { pageSize } = machine.geometry;
  const placements = (highest - lowest) / pageSize + 1;
  const sums = Float64Array.from({ length: placements + 1 }, (_, page) => page);
  return { placements, lowest, highest, sums, pageSize, area, size: 2 ** 31 };
}

function sweep(bytes: Uint8Array, one: SweepCase, distances: DistanceDistribution): PlacementSteps {
  return sweepModule(prepareModule(openModule(bytes, 'module'), one.environment), one.kernelExport, distances);
}

/** Page positions whose counts differ: none is what is hoped for. */
function differences(bytes: Uint8Array, one: SweepCase, [lowest, highest]: readonly [number, number]): string[] {
  const distances = everyPage(lowest, highest, one);
  const steps = sweep(bytes, one, distances);
  const found: string[] = [];
  for (let distance = lowest; distance <= highest; distance += distances.pageSize) {
    const [loaded, swept] = [loadedCount(bytes, one, distance), sweptCount(steps, distances, distance)];
    if (loaded !== swept) found.push(`${distance}: ${swept}, loaded ${loaded}`);
  }
  return found;
}

const PAGE = 4096;
/** Where branches go out of range below and above, and where the image is in the way. */
const WINDOWS = [
  [-REACH - 48 * PAGE, -REACH + 24 * PAGE],
  [-32 * PAGE, 32 * PAGE],
  [REACH - 48 * PAGE, REACH + 24 * PAGE],
] as const;

describe.each([
  {
    image: '6.1/Image',
    folder: '6.1',
    modules: ['many_calls', 'init_only', 'large', 'percpu', 'every_relocation', 'erratum'],
  },
  { image: '6.12/Image.gz', folder: '6.12', modules: ['many_calls', 'init_only', 'erratum'] },
  { image: '4.6/Image', folder: '4.6', modules: ['large', 'exporter'] },
])('the samples of $folder at every page of three windows', ({ image, folder, modules }) => {
  describe.each([false, true])('erratum 843419: %s', (erratum843419) => {
    // Kernels before 4.17 with the workaround refuse modules that hold an ADRP.
    const loadable = folder === '4.6' && erratum843419 ? [] : modules;
    it.each([...loadable, ...(loadable.length ? [] : ['exporter'])])('%s', async (name) => {
      const one = await sampleCase(image, { erratum843419 });
      const bytes = sampleModule(`${folder}/${name}.ko`);
      if (loadable.length === 0) {
        expect(() => sweep(bytes, one, everyPage(-REACH, 0, one))).toThrow('refuse every ADRP');
        return;
      }
      for (const window of WINDOWS) expect(differences(bytes, one, window)).toEqual([]);
    });
  });

  it('sees entries come and go', async () => {
    const one = await sampleCase(image);
    const bytes = sampleModule(`${folder}/${modules[0]}.ko`);
    const steps = sweep(bytes, one, everyPage(-REACH - 2 ** 20, -REACH + 2 ** 20, one));
    expect(Math.min(...steps.counts)).toBe(0);
    expect(Math.max(...steps.counts)).toBeGreaterThan(50);
    expect(steps.counts.length).toBeGreaterThan(3);
  });
});

describe('random branch sets', () => {
  let one: SweepCase;
  let armed: SweepCase;
  let old: SweepCase;
  let names: string[];
  beforeAll(async () => {
    old = await sampleCase('4.6/Image');
    one = await sampleCase('6.1/Image');
    armed = await sampleCase('6.1/Image', { erratum843419: true });
    // Two names of one function share entries; from both ends of the image come the first and the last to go out of range.
    const byAddress = [...one.kernel.exports()].sort(([, a], [, b]) => a - b).map(([name]) => name);
    names = [...byAddress.slice(0, 3), ...byAddress.slice(-3)];
  });

  const TEXT_SIZE = 0x2000;
  const sections = ['.text', '.text.unlikely', '.init.text', '.exit.text'];
  const branch = fc.record({
    type: fc.constantFrom(282, 283),
    symbol: fc.integer({ min: 0, max: 9 }),
    addend: fc.constantFrom(0n, 0n, 0n, 4n, 0x1000n, -8n),
    offset: fc.integer({ min: 0, max: TEXT_SIZE / 4 - 1 }).map((word) => word * 4),
  });
  // An ADRP of a weak symbol that nobody defines is out of range.
  const adrp = fc.record({
    type: fc.constant(275),
    symbol: fc.constantFrom(0, 1, 5, 8, 9),
    addend: fc.constantFrom(0n, 0x1234n),
    offset: fc.constantFrom(0xff8, 0xffc, 0x1ff8, 0x100),
  });
  const relocations = fc.tuple(
    ...sections.map(() => fc.array(fc.oneof({ weight: 8, arbitrary: branch }, adrp), { maxLength: 60 })),
  );

  function build(tables: readonly { type: number; symbol: number; addend: bigint; offset: number }[][]): Uint8Array {
    const symbols = [
      ...names.map((name) => ({ name })),
      { name: 'nobody', bind: WEAK },
      { name: 'nothing', bind: WEAK },
      { name: 'local', section: '.text', value: 0x40n },
      { name: 'early', section: '.init.text', value: 0x80n },
    ];
    const named = tables.map((table) =>
      table.map(({ symbol, ...rest }): ObjectRelocation => ({ ...rest, symbol: symbols[symbol]!.name })),
    );
    return buildModule({
      sections: [
        ...sections.map((name) => ({ name, flags: ALLOC | EXEC, align: 4, data: new Uint8Array(TEXT_SIZE).fill(0) })),
        { name: '.data', flags: ALLOC | WRITE, data: new Uint8Array(0x3000) },
      ],
      symbols,
      relocations: Object.fromEntries(sections.map((name, i) => [name, named[i]!])),
    });
  }

  const distance = fc.oneof(
    fc.integer({ min: -24, max: 24 }).map((page) => page * PAGE - REACH),
    fc.integer({ min: -24, max: 24 }).map((page) => page * PAGE + REACH),
    fc.integer({ min: -24, max: 24 }).map((page) => page * PAGE),
  );

  const branches = fc.tuple(...sections.map(() => fc.array(branch, { maxLength: 60 })));

  it.each([
    ['6.1', relocations, () => one],
    ['6.1 with erratum 843419', relocations, () => armed],
    ['4.6, an entry for each symbol', branches, () => old],
  ] as const)('are counted as they load on %s', (_, tables, where_) => {
    fc.assert(
      fc.property(tables, fc.array(distance, { minLength: 4, maxLength: 4 }), (tables, at) => {
        const where = where_();
        const bytes = build(tables);
        const distances = everyPage(-2 * REACH, 2 * REACH, where);
        const steps = sweep(bytes, where, distances);
        for (const d of at) {
          const loaded = loadedCount(bytes, where, d);
          if (loaded !== UNREACHABLE) expect(sweptCount(steps, distances, d)).toBe(loaded);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('bounds its memory by the branches, not by what they ask for', () => {
    const bytes = build([[{ type: 283, symbol: 0, addend: 2n ** 63n - 1n, offset: 0 }], [], [], []]);
    const steps = sweep(bytes, one, everyPage(-2 * REACH, 2 * REACH, one));
    expect(steps).toMatchObject({ starts: [0], counts: [1] });
  });
});
