/** What `explain` is told beside the message: a module, a kernel, and where both were. */
import type { InferredOptionTypes, Options } from 'yargs';
import { toU64, type Va, va } from '../lib/address.js';
import { ImageFormatError } from '../lib/errors.js';
import type { KnownAddress, SearchedModule } from '../lib/explain/candidate.js';
import type { ExplainContext } from '../lib/explain/explanation.js';
import type { Kernel } from '../lib/image/kernel.js';
import { ERAS, eraByKey, type KernelVersion } from '../lib/kaslr/era.js';
import { PLT_SIZE } from '../lib/kaslr/module-region.js';
import type { Placement } from '../lib/kaslr/place.js';
import { AddressSpace } from '../lib/module/address-space.js';
import { type PreparedModule, prepareModule } from '../lib/module/load.js';
import type { ModuleAddresses } from '../lib/module/loaded-module.js';
import type { RegionName } from '../lib/module/loader-rule.js';
import { parsePlan } from '../lib/module/plan.js';
import { lastNotAfter } from '../lib/verify/offset-search.js';
import { builtForEnvironment, builtForVersion } from '../lib/verify/vermagic.js';
import { readKernel, readText } from './input.js';
import { readModule } from './module-files.js';
import { environmentOf, parseModuleBase } from './module-session.js';
import { aboutFile, UsageError } from './output/error.js';
import { type PlacementArguments, placeKernel } from './placement.js';

export const EXPLAIN_OPTIONS = {
  module: { type: 'string', requiresArg: true, describe: 'the module that the message is about' },
  kernel: { type: 'string', requiresArg: true, describe: 'the kernel that printed it: vmlinux or Image' },
  'module-base': { type: 'string', requiresArg: true, describe: 'where the module was, as in /proc/modules' },
  at: { type: 'string', requiresArg: true, describe: 'PLAN.json with the addresses of the module' },
  'erratum-843419': { type: 'boolean', describe: 'as on a Cortex-A53' },
} as const satisfies Record<string, Options>;

export type ExplainArguments = PlacementArguments & InferredOptionTypes<typeof EXPLAIN_OPTIONS>;

/** @throws UsageError for an option that says nothing without another */
export async function openContext(options: ExplainArguments): Promise<ExplainContext> {
  requireSense(options);
  const kernel = options.kernel === undefined ? undefined : await readKernel(options.kernel, options);
  const isPlaced = options.seed !== undefined || options.text !== undefined;
  const placement =
    kernel && isPlaced ? await aboutFile(options.kernel!, () => placeKernel(kernel, options, false)) : undefined;
  const era = options.era === undefined ? undefined : eraByKey(options.era).since;
  const searched =
    options.module === undefined ? undefined : await openSearched(options.module, options, { kernel, placement });
  const built = searched && builtForVersion(searched.prepared.file);
  return {
    version: era ?? kernel?.banner ?? built,
    module: searched,
    nameOf: kernel && placement && imageNames(kernel, placement),
  };
}

function requireSense(options: ExplainArguments): void {
  for (const name of ['seed', 'text', 'phys', 'va-bits', 'config'] as const) {
    if (options[name] !== undefined && options.kernel === undefined) throw new UsageError(`--${name} needs --kernel`);
  }
  for (const name of ['module-base', 'at', 'erratum-843419'] as const) {
    if (options[name] !== undefined && options.module === undefined) throw new UsageError(`--${name} needs --module`);
  }
}

interface Surroundings {
  readonly kernel: Kernel | undefined;
  readonly placement: Placement | undefined;
}

async function openSearched(file: string, options: ExplainArguments, around: Surroundings): Promise<SearchedModule> {
  const { kernel, placement } = around;
  const module = await readModule(file);
  const version: KernelVersion = builtForVersion(module) ?? ERAS.at(-1)!.since;
  const prepared = await aboutFile(file, () =>
    prepareModule(
      module,
      kernel
        ? environmentOf(kernel, { ...options, 'module-base': undefined, 'module-seed': undefined })
        : { ...builtForEnvironment(module, version), erratum843419: options['erratum-843419'] ?? false },
    ),
  );
  return {
    prepared,
    addresses: await addressesOf(prepared, options, placement),
    exportOf: kernel && (await aboutFile(options.kernel!, () => exportsOf(kernel, placement))),
  };
}

/** Exactly if the image is placed; else only their place in a page is known. */
function exportsOf(kernel: Kernel, placement: Placement | undefined): (name: string) => KnownAddress | undefined {
  const exports = kernel.exports();
  return (name) => {
    const address = exports.get(name);
    if (address === undefined) return undefined;
    return { address: toU64(va(address + (placement?.offset ?? 0))), isExact: placement !== undefined };
  };
}

async function addressesOf(
  prepared: PreparedModule,
  options: ExplainArguments,
  placement: Placement | undefined,
): Promise<ModuleAddresses | undefined> {
  const { at, 'module-base': moduleBase } = options;
  const { rule, pageSize } = prepared.environment;
  if (at !== undefined) {
    return aboutFile(at, () => {
      const plan = parsePlan(readText(at), rule.scheme, pageSize);
      const addresses = plan.get(prepared.file.name);
      if (!addresses) throw new UsageError(`no addresses of ${prepared.file.name}`);
      return addresses;
    });
  }
  if (moduleBase === undefined) return undefined;
  const base = parseModuleBase(moduleBase, pageSize);
  const within = { base, end: va(base + PLT_SIZE) };
  const space = new AddressSpace({ start: within.base, end: within.end }, pageSize);
  if (placement) space.reserve(placement.area);
  const memory = new Map<RegionName, Va>();
  for (const [region, size] of prepared.layout.sizes) {
    const address = size > 0 ? space.allocate(size, within) : undefined;
    if (address !== undefined) memory.set(region, address);
  }
  return { memory };
}

/** Symbols of the image by run address; put in order when a message first has one. */
function imageNames(kernel: Kernel, { text, end }: Placement): (address: bigint) => string | undefined {
  let symbols: readonly NamedOffset[] | undefined;
  return (address) => {
    const signed = BigInt.asIntN(64, address);
    if (signed < BigInt(text) || signed >= BigInt(end)) return undefined;
    symbols ??= symbolsOf(kernel);
    const offset = Number(signed) - text;
    const found = lastNotAfter(symbols, offset);
    if (found === undefined) return undefined;
    return found.offset === offset ? found.name : `${found.name}+0x${(offset - found.offset).toString(16)}`;
  };
}

interface NamedOffset {
  readonly name: string;
  /** From `_text`. */
  readonly offset: number;
}

/** Ascending. kallsyms may hold functions only, exports are variables too; of several names the exported one comes last. */
function symbolsOf(kernel: Kernel): NamedOffset[] {
  const { linkBase } = kernel;
  const symbols: NamedOffset[] = [];
  try {
    const { names, addresses } = kernel.symbols();
    for (const [i, name] of names.entries()) symbols.push({ name, offset: addresses[i]! - linkBase });
  } catch (error) {
    if (!(error instanceof ImageFormatError && error.code === 'NO_SYMBOLS')) throw error;
  }
  for (const [name, address] of kernel.exports()) symbols.push({ name, offset: address - linkBase });
  return symbols.sort((a, b) => a.offset - b.offset);
}
