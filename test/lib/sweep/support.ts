/** Counts by loading: the module is really laid out, allocated and relocated at one place, and the PLTs it fills are read off. */
import { readFileSync } from 'node:fs';
import { va } from '../../../lib/address.js';
import { PltError } from '../../../lib/errors.js';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { type Machine, place } from '../../../lib/kaslr/place.js';
import { type LoaderEnvironment, loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { openModule } from '../../../lib/module/module-file.js';
import { ModuleLoader } from '../../../lib/module/module-loader.js';
import { type DistanceDistribution, weightBelow } from '../../../lib/sweep/distance-distribution.js';
import type { PlacementSteps } from '../../../lib/sweep/placement-steps.js';

const SAMPLES = new URL('../../../samples/bin/', import.meta.url);

export interface SweepCase {
  readonly kernel: Kernel;
  readonly machine: Machine;
  readonly environment: LoaderEnvironment;
  /** Offset from `_text` of an export. */
  readonly kernelExport: (name: string) => number | undefined;
}

export async function sampleCase(
  image: string,
  changes: Partial<LoaderEnvironment & Machine> = {},
): Promise<SweepCase> {
  const kernel = await openKernel(readFileSync(new URL(image, SAMPLES)));
  const exports = kernel.exports();
  const offset = (name: string): number | undefined => {
    const address = exports.get(name) ?? kernel.symbol(name);
    return address === undefined ? undefined : address - kernel.linkBase;
  };
  return {
    kernel,
    kernelExport: (name) => (exports.has(name) ? offset(name) : undefined),
    machine: {
      era: kernel.era,
      release: kernel.banner.release,
      geometry: geometryOf(kernel),
      imageSize: kernel.imageSize,
      linkBase: kernel.linkBase,
      stext: offset('_stext'),
      etext: offset('_etext'),
      ...changes,
    },
    environment: {
      rule: loaderRuleOf(kernel.banner),
      pageSize: kernel.pageSize,
      kallsyms: 'all',
      moduleUnload: true,
      erratum843419: false,
      ...changes,
    },
  };
}

export function sampleModule(file: string): Uint8Array {
  return readFileSync(new URL(file, SAMPLES));
}

/** Core and init entries of a module that is loaded alone with the region's base `distance` from `_text`. */
export function loadedCount(
  bytes: Uint8Array,
  { machine, environment, kernelExport }: SweepCase,
  distance: number,
): number {
  const { text, area } = place(machine, { seed: 1n << 44n });
  const base = va(text + distance);
  const loader = new ModuleLoader({
    environment,
    kernelExport: (name) => {
      const offset = kernelExport(name);
      return offset === undefined ? undefined : va(text + offset);
    },
    image: area,
    regions: [{ kind: 'plt', base, end: va(base + 2 ** 31) }],
    keepInit: true,
  });
  try {
    const { plt } = loader.load(openModule(bytes, 'module'));
    return plt.core.used + plt.init.used;
  } catch (error) {
    if (error instanceof PltError && error.code === 'UNREACHABLE') return UNREACHABLE;
    throw error;
  }
}

/** Where the kernel would stop with BUG(), comparing entries that lead nowhere. */
export const UNREACHABLE = -1;

/** What a sweep says of that distance. */
export function sweptCount(
  { starts, counts }: PlacementSteps,
  distances: DistanceDistribution,
  distance: number,
): number {
  const weight = weightBelow(distances, distance);
  return counts[starts.findLastIndex((start) => start <= weight)]!;
}
