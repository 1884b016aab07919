/**
 * A boot: the image and the module region placed, and the whole module list loaded into it, first fit and in order, so that calls between
 * modules and a region that runs full count. Only distances are computed; no byte is written.
 *
 * Init memory is freed before the next module is loaded, as in `lib/module/module-loader.ts`.
 */
import type { Va } from '../address.js';
import { PlacementError } from '../errors.js';
import { chooseRegions, type ModuleRegion } from '../kaslr/module-region.js';
import { type Machine, type Placement, place } from '../kaslr/place.js';
import { AddressSpace } from '../module/address-space.js';
import { type Boot, regionRandom } from './boot.js';
import { REACH } from './branch-column.js';
import { IMAGE, NOWHERE } from './branch-destination.js';
import type { LinkedModules } from './linked-modules.js';
import { type SlotCount, slotCounts } from './slot-count.js';

/** Stands for the count of a module that could not be loaded. */
export const NOT_LOADED = -1;

export interface BootResult {
  readonly seed: bigint;
  /** The random value that chose the module region. */
  readonly moduleSeed: bigint;
  readonly text: Va;
  /** Base of the first module region. */
  readonly moduleBase: Va;
  /** By module, in load order: core and init entries together, or NOT_LOADED. */
  readonly counts: Int32Array;
}

export interface BootSetup {
  readonly machine: Machine;
  /** A fixed run address of `_text`; else the seed places the image. */
  readonly text: Va | undefined;
  /** Which regions are init regions, in the order of allocation. */
  readonly isInit: readonly boolean[];
}

export class BootSweep {
  readonly #modules: LinkedModules;
  readonly #setup: BootSetup;
  readonly #slots: readonly (readonly [SlotCount, SlotCount])[];

  constructor(modules: LinkedModules, setup: BootSetup) {
    this.#modules = modules;
    this.#setup = setup;
    this.#slots = modules.skipped.map(slotCounts);
  }

  /** @throws PlacementError BAD_LAYOUT, MISSING_INPUT; REGION_FULL if the era leaves modules no region at all */
  run({ seed, moduleSeed }: Boot): BootResult {
    const { machine, text } = this.#setup;
    const placement = place(machine, text === undefined ? { seed } : { text });
    const random = regionRandom(machine.era, { seed, moduleSeed });
    return { seed, moduleSeed: random, text: placement.text, ...this.load(placement, random) };
  }

  /**
   * Loads all modules beside an image that is placed.
   * @param random draws the module region
   * @throws as `run`
   */
  load(placement: Placement, random: bigint): Pick<BootResult, 'moduleBase' | 'counts'> {
    const regions = chooseRegions(placement.region, random);
    const first = regions[0];
    if (!first) throw new PlacementError('REGION_FULL', 'the image is larger than any module region');
    return { moduleBase: first.base, counts: this.#counts(placement, regions) };
  }

  #counts({ text, area, region: { pageSize } }: Placement, regions: readonly ModuleRegion[]): Int32Array {
    const { names, regionCount, needs } = this.#modules;
    const addresses = new Float64Array(names.length * regionCount);
    const counts = new Int32Array(names.length);
    const space = AddressSpace.ofRegions(regions, area, pageSize);
    for (let module = 0; module < names.length; module++) {
      const isLoaded =
        needs[module]!.every((other) => counts[other] !== NOT_LOADED) &&
        this.#allocate(module, { space, regions, addresses });
      counts[module] = isLoaded ? this.count(module, text, addresses) : NOT_LOADED;
    }
    return counts;
  }

  /** Takes memory for all regions of a module and gives back what it does not keep: all, if one of them finds no room. */
  #allocate(
    module: number,
    { space, regions, addresses }: { space: AddressSpace; regions: readonly ModuleRegion[]; addresses: Float64Array },
  ): boolean {
    const { regionCount, sizes } = this.#modules;
    const { isInit } = this.#setup;
    const start = module * regionCount;
    const taken: [region: number, address: Va][] = [];
    let isComplete = true;
    for (let region = 0; region < regionCount && isComplete; region++) {
      const size = sizes[start + region]!;
      if (size === 0) continue;
      const address = space.allocateIn(regions, size);
      if (address === undefined) isComplete = false;
      else {
        addresses[start + region] = address;
        taken.push([region, address]);
      }
    }
    for (const [region, address] of taken) {
      if (!isComplete || isInit[region]) space.free(address, sizes[start + region]!);
    }
    return isComplete;
  }

  /** Entries of one module, core and init, with all regions of all modules at `addresses`. */
  count(module: number, text: number, addresses: Float64Array): number {
    const { rowStarts, part, kind, place, first, last, frame, offset, id } = this.#modules;
    let core = 0;
    let init = 0;
    let previous = -1;
    const end = rowStarts[module + 1]!;
    for (let row = rowStarts[module]!; row < end; row++) {
      const target = frame[row]!;
      if (target !== NOWHERE) {
        const from = addresses[place[row]!]!;
        const to = (target === IMAGE ? text : addresses[target]!) + offset[row]!;
        const reach = REACH[kind[row]!]!;
        if (to - from - last[row]! >= -reach && to - from - first[row]! < reach) continue;
      }
      if (id[row] === previous) continue;
      previous = id[row]!;
      if (part[row] === 0) core++;
      else init++;
    }
    const [coreSlots, initSlots] = this.#slots[module]!;
    return coreSlots(core) + initSlots(init);
  }
}
