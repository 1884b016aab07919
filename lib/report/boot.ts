/** A boot as the report shows it: where the image went, where modules may go, and where they went. */
import { formatU64, formatVa, va } from '../address.js';
import { chooseRegions, moduleWindows } from '../kaslr/module-region.js';
import type { Placement } from '../kaslr/place.js';
import { type Boot as DrawnBoot, regionRandom } from '../sweep/boot.js';
import type { Boot } from './report-data.js';

/** An image placed, and the random value that draws the module region. */
export interface PlacedBoot {
  readonly placement: Placement;
  readonly random: bigint;
}

export function placedBoot(placement: Placement, boot: DrawnBoot): PlacedBoot {
  return { placement, random: regionRandom(placement.region.era, boot) };
}

export function bootOf({ placement: { seed, text, area, region }, random }: PlacedBoot): Boot {
  const isOwn = region.era.moduleSeed === 'independent' || random !== seed;
  return {
    ...(seed !== undefined && { seed: formatU64(seed) }),
    ...(isOwn && { moduleSeed: formatU64(random) }),
    text: formatVa(text),
    area: { start: formatVa(area.start), end: formatVa(area.end) },
    windows: moduleWindows(region).map(({ kind, size, lowest, highest }) => ({
      kind,
      lowest: formatVa(lowest),
      end: formatVa(va(highest + size)),
    })),
    regions: chooseRegions(region, random).map(({ kind, base, end }) => ({
      kind,
      base: formatVa(base),
      end: formatVa(end),
    })),
  };
}
