/** PLT entries that all modules use in each boot, loaded one after another. */
import type { Machine } from '../kaslr/place.js';
import { isInitRegion, type LoaderEnvironment } from '../module/loader-rule.js';
import { linkModules } from '../sweep/linked-modules.js';
import type { ModuleColumn } from '../sweep/module-column.js';
import { BootSweep, NOT_LOADED } from '../sweep/sampled.js';
import type { PlacedBoot } from './boot.js';
import type { BootCounts } from './report-data.js';

export interface CountInput {
  readonly machine: Machine;
  readonly environment: LoaderEnvironment;
  /** In load order. */
  readonly modules: readonly ModuleColumn[];
}

/**
 * Boots with the same counts, which most are whose region is far from the image, share them.
 * @throws as `linkModules` and `BootSweep`
 */
export function countBoots(boots: readonly PlacedBoot[], { machine, environment, modules }: CountInput): BootCounts {
  const { scheme, plt } = environment.rule;
  const linked = linkModules(modules, plt.reuse);
  const isInit = scheme.regions.map(isInitRegion);
  const known = new Map<string, number>();
  const patterns: number[][] = [];
  const sweep = new BootSweep(linked, { machine, text: undefined, isInit });
  const pattern = boots.map(({ placement, random }) => {
    const counts = [...sweep.load(placement, random).counts];
    const key = counts.join();
    const index = known.get(key) ?? patterns.push(counts) - 1;
    known.set(key, index);
    return index;
  });
  const totals = patterns.map((counts) => counts.reduce((sum, count) => sum + (count === NOT_LOADED ? 0 : count), 0));
  return { pattern, patterns, totals: pattern.map((index) => totals[index]!) };
}
