import { hash } from 'node:crypto';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { formatVa } from '../../lib/address.js';
import { ModuleError } from '../../lib/errors.js';
import type { Kernel } from '../../lib/image/kernel.js';
import { inDependencyOrder } from '../../lib/module/dependency.js';
import type { LoadedModule, ModuleAddresses } from '../../lib/module/loaded-module.js';
import { loaderRuleOf } from '../../lib/module/loader-rule.js';
import type { ModuleFile } from '../../lib/module/module-file.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import { moduleElf } from '../../lib/module/placed-elf.js';
import { parsePlan } from '../../lib/module/plan.js';
import { filesOfKernel, readKernel, readText } from '../input.js';
import { findExporters, findModules, nameOfFile, readModule } from '../module-files.js';
import { environmentOf, exportsAt, REGION_OPTIONS, type RegionArguments, regionsOf } from '../module-session.js';
import { aboutFile, FileError } from '../output/error.js';
import { OutputFolder } from '../output/file.js';
import { printJson } from '../output/print.js';
import { printTable } from '../output/table.js';
import { type PlacementArguments, placeKernel, withPlacement } from '../placement.js';

const OPTIONS = {
  kernel: { type: 'string', demandOption: true, requiresArg: true, describe: 'vmlinux or Image' },
  modules: { type: 'string', requiresArg: true, describe: 'folder in which dependencies are looked up' },
  at: { type: 'string', requiresArg: true, describe: 'PLAN.json with the addresses of every module' },
  'keep-init': { type: 'boolean', describe: 'as while init memory is not freed' },
  output: { alias: 'o', type: 'string', requiresArg: true, describe: 'folder for one relocated ELF per module' },
  symbols: {
    type: 'string',
    requiresArg: true,
    describe: "System.map to take the kernel's symbols from, at link addresses",
  },
  force: { type: 'boolean', describe: "load modules of another kernel's version magic" },
  ...REGION_OPTIONS,
} as const satisfies Record<string, Options>;

type Arguments = PlacementArguments &
  RegionArguments &
  InferredOptionTypes<typeof OPTIONS> & { files: string[]; json?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'module objects' })
    .options(OPTIONS)
    .conflicts('at', ['module-base', 'module-seed'])
    .example(
      '$0 load xfs.ko --modules /lib/modules/$(uname -r) --kernel vmlinuz --seed 1',
      'xfs and what it depends on',
    );
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const kernel = await readKernel(options.kernel, options);
  const { text, loader, plan } = await aboutFile(options.kernel, () => openSession(kernel, options));
  const files = new Map(options.files.map((file) => [nameOfFile(file), file]));
  const tree = options.modules === undefined ? undefined : await findModules(options.modules);
  const fileOf = (name: string): string | undefined => files.get(name) ?? tree?.get(name);

  const output =
    options.output === undefined ? undefined : await OutputFolder.create(options.output, filesRead(options, tree));
  const modules: Summary[] = [];
  const open = async (name: string): Promise<ModuleFile | undefined> => {
    const file = fileOf(name);
    return file === undefined ? undefined : readModule(file);
  };
  const { entry } = loaderRuleOf(kernel.banner).plt;
  try {
    for await (const module of inDependencyOrder(files.keys(), open)) {
      const file = fileOf(module.name) ?? module.name;
      const loaded = await load(file, () => loadOne(module, { kernel, loader, plan, options }), tree);
      await output?.add(`${module.name}.ko`, moduleElf(module, loaded, entry));
      modules.push({ file, ...summary(loaded) });
    }
    await output?.publish();
  } finally {
    output?.discard();
  }
  if (options.json) printJson({ text: formatVa(text), modules: modules.map(toJson) });
  else printModules(modules);
}

/** The whole tree, though only dependencies are read from it: a module there is nobody's output. */
function filesRead(options: Arguments, tree: ReadonlyMap<string, string> | undefined): string[] {
  const named = [...options.files, options.at, options.symbols].filter((file) => file !== undefined);
  return [...filesOfKernel(options.kernel, options), ...named, ...(tree?.values() ?? [])];
}

async function openSession(kernel: Kernel, options: Arguments) {
  const placement = placeKernel(kernel, options, true);
  const environment = environmentOf(kernel, options);
  const at = options.at;
  const plan =
    at === undefined
      ? undefined
      : await aboutFile(at, () => parsePlan(readText(at), environment.rule.scheme, kernel.pageSize));
  const loader = new ModuleLoader({
    environment,
    kernelExport: await exportsAt(kernel, placement.offset, options.symbols),
    image: placement.area,
    regions: plan ? [] : regionsOf(placement, kernel, options),
    keepInit: options['keep-init'] ?? false,
  });
  return { text: placement.text, loader, plan };
}

interface LoadContext {
  readonly kernel: Kernel;
  readonly loader: ModuleLoader;
  readonly plan: ReadonlyMap<string, ModuleAddresses> | undefined;
  readonly options: Arguments;
}

function loadOne(module: ModuleFile, { kernel, loader, plan, options }: LoadContext): LoadedModule {
  const magic = module.modinfo.vermagic ?? '';
  if (!options.force && magic.split(' ')[0] !== kernel.banner.release) {
    throw new ModuleError(
      'WRONG_VERMAGIC',
      `version magic '${magic}' is not for kernel ${kernel.banner.release} (--force loads it all the same)`,
    );
  }
  return loader.load(module, plan?.get(module.name));
}

/** Missing symbols are looked for in the tree. */
async function load(
  file: string,
  work: () => LoadedModule,
  tree: ReadonlyMap<string, string> | undefined,
): Promise<LoadedModule> {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ModuleError) || error.code !== 'UNDEFINED_SYMBOLS' || !tree)
      throw new FileError(file, error);
    const exporters = await findExporters(tree, error.details.symbols as readonly string[]);
    const hints = [...exporters].map(([symbol, module]) => `${symbol} is exported by ${module}`);
    throw new FileError(
      file,
      hints.length ? new ModuleError(error.code, `${error.message} (${hints.join(', ')})`, error.details) : error,
    );
  }
}

/** Not compared by anyone: the kernel fills struct module as it goes. */
const THIS_MODULE = '.gnu.linkonce.this_module';

/** What is printed of a module, so that its memory can go. */
function summary({ name, sections, plt, branches, veneers }: LoadedModule) {
  const printed = sections.filter((section) => section.bytes.length > 0 && section.name !== THIS_MODULE);
  return {
    name,
    sections: printed.map((section) => ({
      name: section.name,
      address: formatVa(section.address),
      size: section.bytes.length,
      sha256: hash('sha256', section.bytes),
    })),
    plt,
    branches,
    veneers,
  };
}

type Summary = { file: string } & ReturnType<typeof summary>;

function toJson({ name, file, sections, plt }: Summary): object {
  return { name, file, sections, plt };
}

function printModules(modules: readonly Summary[]): void {
  printTable(
    ['module', 'text', 'branches', 'PLT used', 'reserved', 'init used', 'reserved', 'veneers'],
    modules.map(({ name, sections, plt, branches, veneers }) => [
      name,
      sections.find((section) => section.name === '.text')?.address ?? '-',
      branches,
      plt.core.used,
      plt.core.reserved,
      plt.init.used,
      plt.init.reserved,
      veneers,
    ]),
  );
}
