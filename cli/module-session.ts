/** The options of every command that loads modules into a placed kernel, and the loader they describe. */
import type { InferredOptionTypes, Options } from 'yargs';
import { parseVa, type Va, va } from '../lib/address.js';
import { ImageFormatError } from '../lib/errors.js';
import type { Kernel } from '../lib/image/kernel.js';
import { chooseRegions, DIRECT_SIZE, type ModuleRegion, PLT_SIZE } from '../lib/kaslr/module-region.js';
import type { Placement } from '../lib/kaslr/place.js';
import { type LoaderEnvironment, loaderRuleOf } from '../lib/module/loader-rule.js';
import { readSystemMap } from './input.js';
import { UsageError } from './output/error.js';
import { type PlacementArguments, parseSeed } from './placement.js';

export const REGION_OPTIONS = {
  'module-seed': {
    type: 'string',
    requiresArg: true,
    describe: "the module region's own random value, where the seed does not fix it (default 0)",
  },
  'module-base': { type: 'string', requiresArg: true, describe: 'where the module region begins' },
  'erratum-843419': { type: 'boolean', describe: 'as on a Cortex-A53' },
} as const satisfies Record<string, Options>;

export type RegionArguments = InferredOptionTypes<typeof REGION_OPTIONS>;

/** What the kernel's own tables say of how it keeps modules' symbols: variables are in kallsyms only with KALLSYMS_ALL (`_etext` always is, as a `D`). */
function kallsymsOf(kernel: Kernel): LoaderEnvironment['kallsyms'] {
  try {
    return kernel.symbols().types.some((type) => /b/i.test(type)) ? 'all' : 'functions';
  } catch (error) {
    if (error instanceof ImageFormatError && error.code === 'NO_SYMBOLS') return 'none';
    throw error;
  }
}

export function environmentOf(kernel: Kernel, options: RegionArguments): LoaderEnvironment {
  return {
    rule: loaderRuleOf(kernel.banner),
    pageSize: kernel.pageSize,
    kallsyms: kallsymsOf(kernel),
    moduleUnload: kernel.config.moduleUnload,
    erratum843419: options['erratum-843419'] ?? false,
  };
}

/** The regions modules go to, in the order the allocator tries them. */
export function regionsOf(
  placement: Placement,
  kernel: Kernel,
  options: PlacementArguments & RegionArguments,
): ModuleRegion[] {
  const moduleBase = options['module-base'];
  if (moduleBase !== undefined) {
    const base = parseModuleBase(moduleBase, kernel.pageSize);
    const region = (kind: 'direct' | 'plt', size: number): ModuleRegion => ({ kind, base, end: va(base + size) });
    return [region('direct', DIRECT_SIZE), region('plt', PLT_SIZE)];
  }
  const moduleSeed = options['module-seed'];
  const own = moduleSeed === undefined ? undefined : parseSeed(moduleSeed);
  return chooseRegions(placement.region, moduleRandom(placement, own) ?? 0n);
}

/**
 * The value that draws the module region: the image's seed in eras that share it, else the module region's own.
 * @throws UsageError if both are given and differ: no boot does that
 */
export function moduleRandom({ seed, region }: Placement, own: bigint | undefined): bigint | undefined {
  const shared = region.era.moduleSeed === 'image' ? seed : undefined;
  if (shared !== undefined && own !== undefined && own !== shared) {
    throw new UsageError('--module-seed: before 6.0 the seed of the image draws the module region, too');
  }
  return shared ?? own;
}

/** @throws UsageError if no module region can begin there */
export function parseModuleBase(text: string, pageSize: number): Va {
  const base = parseVa(text, '--module-base');
  if (base % pageSize !== 0) throw new UsageError(`--module-base ${text} is not page aligned`);
  if (base >= 0 || base + PLT_SIZE > 0)
    throw new UsageError(`--module-base ${text} leaves modules no 2 GiB of the kernel's addresses`);
  return base;
}

/** Run addresses of what modules can use: the kernel's exports, and every global symbol of a System.map if one is given. */
export async function exportsAt(
  kernel: Kernel,
  offset: number,
  systemMap: string | undefined,
): Promise<(name: string) => Va | undefined> {
  const exports = kernel.exports();
  const listed = systemMap === undefined ? undefined : await readSystemMap(systemMap);
  return (name) => {
    const address = exports.get(name) ?? listed?.get(name);
    return address === undefined ? undefined : va(address + offset);
  };
}
