/** Where every module goes in a boot: first fit, one after another, as the loader does it. */
import { parseVa, type Va } from '../../address.js';
import { AddressSpace } from '../../module/address-space.js';
import type { Boot, ModuleColumns } from '../report-data.js';

export interface PlacedBlock {
  readonly start: Va;
  readonly end: number;
  /** Index of the module, and of the block in `ModuleColumns.blocks`. */
  readonly module: number;
  readonly block: number;
}

/** What memory is handed out in, and which modules are loaded at all. */
export interface LoadFacts {
  readonly pageSize: number;
  readonly isLoaded: (module: number) => boolean;
}

/** In the order of loading. */
export function placeModules(
  boot: Boot,
  { blocks, names }: ModuleColumns,
  { pageSize, isLoaded }: LoadFacts,
): PlacedBlock[] {
  const regions = boot.regions.map(({ base, end }) => ({ base: parseVa(base, 'base'), end: parseVa(end, 'end') }));
  if (regions.length === 0) return [];
  const image = { start: parseVa(boot.area.start, 'start'), end: parseVa(boot.area.end, 'end') };
  const space = AddressSpace.ofRegions(regions, image, pageSize);
  const placed: PlacedBlock[] = [];
  names.forEach((_, module) => {
    if (!isLoaded(module)) return;
    blocks.forEach(({ sizes }, block) => {
      const size = sizes[module]!;
      if (size === 0) return;
      const start = space.allocateIn(regions, size);
      if (start !== undefined) placed.push({ start, end: start + size, module, block });
    });
  });
  return placed;
}
