/**
 * A kernel into which one module after another is loaded: what is exported so far, and what memory is taken.
 */
import { formatVa, type Va, va } from '../address.js';
import { alignUp } from '../bits.js';
import { ModuleError, PlacementError } from '../errors.js';
import type { ModuleRegion } from '../kaslr/module-region.js';
import { AddressSpace } from './address-space.js';
import { loadModule, type PreparedModule, prepareModule } from './load.js';
import type { LoadedModule, ModuleAddresses } from './loaded-module.js';
import { isInitRegion, type LoaderEnvironment, type RegionName } from './loader-rule.js';
import type { ModuleFile } from './module-file.js';

export interface ModuleLoaderOptions {
  readonly environment: LoaderEnvironment;
  /** Run address of an export of the kernel. */
  readonly kernelExport: (name: string) => Va | undefined;
  /** What the image takes of vmalloc, `[start, end)`, which no module may overlap: `Placement.area`. */
  readonly image: { readonly start: Va; readonly end: Va };
  /** Where modules go, in the order the allocator tries; empty if every module comes with its addresses. */
  readonly regions: readonly ModuleRegion[];
  /** Whether init memory stays, as while no init function has returned. */
  readonly keepInit: boolean;
}

export class ModuleLoader {
  readonly #options: ModuleLoaderOptions;
  readonly #space: AddressSpace;
  readonly #exports = new Map<string, Va>();
  /** Per-CPU data is not placed by any seed; it is taken to follow the image, one allocation after another. */
  #nextPercpu: number;

  constructor(options: ModuleLoaderOptions) {
    const { image, regions, environment } = options;
    this.#options = options;
    this.#space = AddressSpace.ofRegions(regions, image, environment.pageSize);
    this.#nextPercpu = image.end;
  }

  /** Run address of a symbol that modules can use now: the kernel's own export first. */
  readonly lookup = (name: string): Va | undefined => this.#options.kernelExport(name) ?? this.#exports.get(name);

  /**
   * Loads a module at the addresses given, or where the allocator puts it; its exports are visible from then on.
   * @throws what `prepareModule` and `loadModule` throw, and PlacementError REGION_FULL naming region, size and largest hole
   */
  load(file: ModuleFile, addresses?: ModuleAddresses): LoadedModule {
    const prepared = prepareModule(file, this.#options.environment);
    const module = addresses ? loadModule(prepared, addresses, this.lookup) : this.#loadAnywhere(prepared);
    for (const [name, address] of module.exports) if (!this.#exports.has(name)) this.#exports.set(name, address);
    return module;
  }

  #loadAnywhere(prepared: PreparedModule): LoadedModule {
    const nextPercpu = this.#nextPercpu;
    const memory = new Map<RegionName, Va>();
    let isLoaded = false;
    try {
      for (const [region, size] of prepared.layout.sizes) {
        if (size > 0) memory.set(region, this.#allocateRegion(prepared.file.name, region, size));
      }
      const module = loadModule(prepared, { memory, percpu: this.#allocatePercpu(prepared) }, this.lookup);
      isLoaded = true;
      return module;
    } finally {
      // init functions run before the next module is loaded; of a module that is refused nothing stays.
      for (const [region, address] of memory) {
        const stays = isLoaded && (this.#options.keepInit || !isInitRegion(region));
        if (!stays) this.#space.free(address, prepared.layout.sizes.get(region)!);
      }
      if (!isLoaded) this.#nextPercpu = nextPercpu;
    }
  }

  #allocateRegion(module: string, region: RegionName, size: number): Va {
    const address = this.#space.allocateIn(this.#options.regions, size);
    if (address !== undefined) return address;
    const within = this.#options.regions.at(-1);
    if (!within) throw new ModuleError('BAD_PLAN', `${module}: the plan has no address for it`);
    throw new PlacementError(
      'REGION_FULL',
      `${module}: no room for ${size} bytes of ${region} in ${formatVa(within.base)}-${formatVa(within.end)}; the largest hole has ${this.#space.largestHole(within)} bytes`,
      { module, region, size },
    );
  }

  #allocatePercpu({ frobbed }: PreparedModule): Va | undefined {
    if (frobbed.percpu === 0) return undefined;
    const { sh_size, sh_addralign } = frobbed.sections[frobbed.percpu]!;
    const address = alignUp(this.#nextPercpu, Math.max(sh_addralign, 1));
    this.#nextPercpu = address + sh_size;
    return va(address);
  }
}
