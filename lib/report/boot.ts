/** A boot as the report shows it: where the image went, where modules may go, and where they went. */
import { formatU64, formatVa, va } from '../address.js';
import { chooseRegions, type ModuleRegion, moduleWindows } from '../kaslr/module-region.js';
import type { Placement } from '../kaslr/place.js';
import type { Boot } from './report-data.js';

/**
 * @param drawn the regions modules went to, and the random value they come from unless the seed or a given base decides
 */
export function bootOf(
  { seed, text, region }: Placement,
  drawn: { readonly regions: readonly ModuleRegion[]; readonly moduleSeed?: bigint | undefined },
): Boot {
  return {
    ...(seed !== undefined && { seed: formatU64(seed) }),
    ...(drawn.moduleSeed !== undefined && { moduleSeed: formatU64(drawn.moduleSeed) }),
    text: formatVa(text),
    windows: moduleWindows(region).map(({ kind, size, lowest, highest }) => ({
      kind,
      lowest: formatVa(lowest),
      end: formatVa(va(highest + size)),
    })),
    regions: drawn.regions.map(({ kind, base, end }) => ({ kind, base: formatVa(base), end: formatVa(end) })),
  };
}

/** A boot whose module region is drawn by `moduleSeed`, or by the image's own seed in eras that share it. */
export function drawnBoot(placement: Placement, moduleSeed: bigint): Boot {
  const own = placement.region.era.moduleSeed === 'image' ? undefined : moduleSeed;
  const regions = chooseRegions(placement.region, own ?? placement.seed ?? moduleSeed);
  return bootOf(placement, { regions, moduleSeed: own });
}
