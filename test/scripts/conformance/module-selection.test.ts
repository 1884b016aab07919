import { describe, expect, it } from '@jest/globals';
import { drawModules, openModuleTree } from '../../../scripts/conformance/module-selection.js';
import { samplePath } from '../../support/sample.js';

const tree = await openModuleTree(samplePath('6.12'));
const names = async (seed: bigint, count: number): Promise<string[]> =>
  (await drawModules(tree, seed, count)).map(({ name }) => name);

describe('drawModules', () => {
  it('draws the same for the same seed, and not for another', async () => {
    expect(await names(1n, 5)).toEqual(await names(1n, 5));
    const draws = await Promise.all([1n, 2n, 3n, 4n].map((seed) => names(seed, 5)));
    expect(new Set(draws.map((draw) => draw.join())).size).toBeGreaterThan(1);
  });

  it('puts a module behind those it depends on, and counts them', async () => {
    for (let seed = 0n; seed < 20n; seed++) {
      const drawn = await names(seed, 6);
      expect(drawn).toHaveLength(6);
      if (drawn.includes('importer')) expect(drawn.indexOf('exporter')).toBeLessThan(drawn.indexOf('importer'));
    }
  });

  it('draws none, all, and no module twice', async () => {
    expect(await names(1n, 0)).toEqual([]);
    const all = await names(1n, Number.POSITIVE_INFINITY);
    expect([...all].sort()).toEqual([...tree.keys()].sort());
  });
});
