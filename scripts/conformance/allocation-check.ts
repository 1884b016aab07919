/**
 * Where module memory goes against first fit: given the start of the module region, every other address follows.
 *
 * Before 6.0 the seed decides the region; since then it is random and taken from the first module.
 */
import { formatVa, type Va, va } from '../../lib/address.js';
import type { ImageArea } from '../../lib/kaslr/image-area.js';
import { DIRECT_SIZE, type ModuleRegion, PLT_SIZE } from '../../lib/kaslr/module-region.js';
import { AddressSpace } from '../../lib/module/address-space.js';
import type { RegionName } from '../../lib/module/loader-rule.js';
import type { BootFacts } from './boot-facts.js';
import { type Check, CheckBuilder } from './check.js';

export class AllocationCheck {
  readonly #check = new CheckBuilder('module addresses', 'address');
  readonly #pageSize: number;
  readonly #image: ImageArea;
  #base: Va | undefined;
  #space: AddressSpace | undefined;
  readonly #blocks = new Map<string, [address: Va, size: number][]>();
  #within: readonly Pick<ModuleRegion, 'base' | 'end'>[] = [];

  constructor({ kernel, placement: { area, modules } }: BootFacts) {
    this.#pageSize = kernel.pageSize;
    this.#image = area;
    if ('base' in modules) this.#base = modules.base;
  }

  /**
   * @param sizes of the module's regions, in the order of their allocation
   * @param memory where the kernel put them; those without a section are not known
   */
  add(module: string, sizes: ReadonlyMap<RegionName, number>, memory: ReadonlyMap<RegionName, Va>): void {
    this.#space ??= this.#open(va(Math.min(...memory.values())));
    const blocks: [Va, number][] = [];
    this.#blocks.set(module, blocks);
    for (const [region, size] of sizes) {
      if (size === 0) continue;
      const ours = this.#space.allocateIn(this.#within, size);
      if (ours !== undefined) blocks.push([ours, size]);
      const theirs = memory.get(region);
      if (theirs === undefined) continue;
      this.#check.compared++;
      if (ours === theirs) continue;
      const say = ours === undefined ? 'nowhere' : formatVa(ours);
      this.#check.mismatch(() => `${module}: kaslrkit puts ${region} at ${say}, the kernel at ${formatVa(theirs)}`);
    }
  }

  /** Frees the memory of a module that the kernel gave up. */
  release(module: string): void {
    for (const [address, size] of this.#blocks.get(module) ?? []) this.#space?.free(address, size);
  }

  #open(first: Va): AddressSpace {
    const base = this.#base ?? first;
    this.#within = [DIRECT_SIZE, PLT_SIZE].map((size) => ({ base, end: va(base + size) }));
    return AddressSpace.ofRegions(this.#within, this.#image, this.#pageSize);
  }

  finish(): Check {
    return this.#check.finish();
  }
}
