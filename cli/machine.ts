/** The options that say which kernel on which machine: from a kernel file, or without one. */
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { parseU64 } from '../lib/address.js';
import type { Kernel } from '../lib/image/kernel.js';
import { eraByKey } from '../lib/kaslr/era.js';
import type { Machine } from '../lib/kaslr/place.js';
import { readConfig, readKernel } from './input.js';
import { aboutFile, UsageError } from './output/error.js';
import { geometryFor, machineOf, PLACEMENT_OPTIONS, type PlacementArguments, parseCount } from './placement.js';

const { seed: _seed, text: _text, ...RULES } = PLACEMENT_OPTIONS;

export const MACHINE_OPTIONS = {
  ...RULES,
  'page-size': { type: 'string', requiresArg: true, describe: 'without KERNEL: 4096, 16384 or 65536 (default 4096)' },
  'image-size': { type: 'string', requiresArg: true, describe: 'without KERNEL: _end - _text in bytes' },
} as const satisfies Record<string, Options>;

export type MachineArguments = InferredOptionTypes<typeof MACHINE_OPTIONS> & { kernel?: string };

export function withMachine(argv: Argv): Argv {
  return argv.positional('kernel', { type: 'string', describe: 'vmlinux or Image' }).options(MACHINE_OPTIONS);
}

/** The placement options that a command without seed and address leaves open. */
export const withoutPlace = (options: MachineArguments): PlacementArguments => ({
  ...options,
  seed: undefined,
  text: undefined,
});

export async function readMachineKernel(file: string, options: MachineArguments): Promise<Kernel> {
  for (const name of ['page-size', 'image-size'] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} says what the kernel file says already`);
  }
  return readKernel(file, options);
}

/** The machine, with `_stext` and `_etext` where a kernel file has them. */
export async function readMachine(options: MachineArguments): Promise<Machine> {
  const file = options.kernel;
  if (file !== undefined) {
    const kernel = await readMachineKernel(file, options);
    return aboutFile(file, () => machineOf(kernel, withoutPlace(options), true));
  }
  const { era, 'va-bits': vaBits, 'image-size': imageSize } = options;
  if (era === undefined || vaBits === undefined || imageSize === undefined) {
    throw new UsageError('without a kernel file, --era, --va-bits and --image-size are needed');
  }
  const pageSize = parseCount(options['page-size'] ?? '4096', '--page-size');
  const config = await readConfig(options.config);
  return {
    era: eraByKey(era),
    geometry: geometryFor({ pageSize, vaBits: parseCount(vaBits, '--va-bits') }, withoutPlace(options)),
    imageSize: parseCount(imageSize, '--image-size'),
    phys: options.phys === undefined ? undefined : parseU64(options.phys, '--phys'),
    fullRegion: config?.fullRegion,
    kasan: config?.kasan,
  };
}
