/** Everything that the library does with a file of a kind, one call after another; each may throw what it documents. */
import { type Va, va } from '../../lib/address.js';
import { ET_DYN, ET_EXEC, ET_REL } from '../../lib/elf/constant.js';
import { openElf } from '../../lib/elf/file.js';
import { openSymbolTable } from '../../lib/elf/symbol-table.js';
import { KaslrkitError } from '../../lib/errors.js';
import { unpack } from '../../lib/image/container.js';
import { openKernel } from '../../lib/image/kernel.js';
import { parseKernelConfig } from '../../lib/image/kernel-config.js';
import { placedElf } from '../../lib/image/placed-elf.js';
import { eraByKey } from '../../lib/kaslr/era.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { type Machine, place } from '../../lib/kaslr/place.js';
import { readBootRecord } from '../../lib/locate/boot-record.js';
import { prepareModule } from '../../lib/module/load.js';
import { type LoaderEnvironment, loaderRuleOf } from '../../lib/module/loader-rule.js';
import { openModule } from '../../lib/module/module-file.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import { moduleElf } from '../../lib/module/placed-elf.js';
import { parsePlan } from '../../lib/module/plan.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import { moduleDistances } from '../../lib/sweep/distance-distribution.js';
import { sweepModule } from '../../lib/sweep/exact.js';
import { verifyModule } from '../../lib/verify/verify.js';
import { searchDump } from './dump-subject.js';
import type { Kind, Subject } from './subject.js';

const MIB = 2 ** 20;
const IMAGE = { start: va(-0x5fff_8000_0000), end: va(-0x5fff_7000_0000) };
const SEED = 0xfedcba9876543210n;
/** What a container may unpack to here: above every sample. */
const UNPACK_LIMIT = 16 * MIB;

/** Runs one step; what the library documents to throw is a result like any other. */
async function allow(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof KaslrkitError)) throw error;
  }
}

const environments: readonly LoaderEnvironment[] = [
  { version: [4, 9], pageSize: 4096, kallsyms: 'none', erratum843419: false },
  { version: [6, 1], pageSize: 4096, kallsyms: 'functions', erratum843419: true },
  { version: [6, 12], pageSize: 16384, kallsyms: 'all', erratum843419: false },
].map(({ version: [major = 0, minor = 0], ...rest }) => ({
  ...rest,
  kallsyms: rest.kallsyms as LoaderEnvironment['kallsyms'],
  rule: loaderRuleOf({ major, minor }),
  moduleUnload: true,
}));

/** Near the image, and so far that every call goes through the PLT. */
const DISTANCES = [16 * MIB, 1024 * MIB];

/** Where modules of a 32 MiB kernel may go. */
const DISTRIBUTION = moduleDistances({
  era: eraByKey('6.9'),
  imageSize: 32 * MIB,
  geometry: geometryOf({ pageSize: 4096, vaBits: 48 }),
});

async function exerciseModule(bytes: Uint8Array): Promise<void> {
  const file = openModule(bytes, 'fuzzed');
  for (const model of ['large', 'small'] as const) await allow(() => verifyModule(file, { model, allowAdrp: false }));
  for (const environment of environments) {
    await allow(() => sweepModule(prepareModule(file, environment), () => 0x1234, DISTRIBUTION));
    for (const distance of DISTANCES) {
      const base = va(IMAGE.end + distance);
      const loader = new ModuleLoader({
        environment,
        kernelExport: (): Va => va(IMAGE.start + 0x1234),
        image: IMAGE,
        regions: [{ kind: 'plt', base, end: va(base + 128 * MIB) }],
        keepInit: false,
      });
      await allow(() => moduleElf(file, loader.load(file), environment.rule.plt.entry));
    }
  }
}

async function exerciseKernel(bytes: Uint8Array): Promise<void> {
  const kernel = await openKernel(bytes);
  const { era, imageSize, linkBase } = kernel;
  await allow(() => kernel.symbols());
  await allow(() => kernel.exports());
  await allow(() => {
    const machine: Machine = { era, imageSize, linkBase, geometry: geometryOf(kernel) };
    const { offset } = place(machine, { seed: SEED });
    const image = kernel.relocatable();
    relocateImage(image, offset);
    placedElf(kernel, image.bytes, offset);
  });
}

async function exerciseElf(bytes: Uint8Array): Promise<void> {
  await allow(() => {
    const symbols = openSymbolTable(openElf(bytes, [ET_REL, ET_EXEC, ET_DYN]));
    for (let i = 0; symbols && i < symbols.count; i++) {
      symbols.name(i);
      symbols.shndx(i);
      symbols.size(i);
    }
  });
}

async function exercisePlan(bytes: Uint8Array): Promise<void> {
  const text = Buffer.from(bytes).toString('utf8');
  for (const { rule, pageSize } of environments) await allow(() => parsePlan(text, rule.scheme, pageSize));
}

const EXERCISES: Readonly<Record<Kind, (bytes: Uint8Array, root: string) => Promise<void>>> = {
  module: exerciseModule,
  vmlinux: exerciseKernel,
  image: exerciseKernel,
  container: async (bytes) => {
    const { bytes: inner } = await unpack(bytes, UNPACK_LIMIT);
    await allow(() => openModule(inner, 'fuzzed'));
    await allow(() => openKernel(inner));
  },
  dump: async (bytes, root) => searchDump(root, bytes),
  plan: exercisePlan,
  config: async (bytes) => void parseKernelConfig(Buffer.from(bytes).toString('latin1')),
  log: async (bytes) => void readBootRecord(Buffer.from(bytes).toString('latin1').split('\n')),
};

/**
 * @param root the project's folder
 * @throws whatever is no KaslrkitError: a bug
 */
export async function exercise({ kind }: Subject, bytes: Uint8Array, root: string): Promise<void> {
  if (kind === 'module' || kind === 'vmlinux') await exerciseElf(bytes);
  await allow(() => EXERCISES[kind](bytes, root));
}
