import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { formatU64, formatVa, parseU64 } from '../../lib/address.js';
import { eraByKey } from '../../lib/kaslr/era.js';
import { type Machine, type Placement, place } from '../../lib/kaslr/place.js';
import { readConfig, readKernel } from '../input.js';
import { aboutFile, UsageError } from '../output/error.js';
import { formatSize, printFields, printJson } from '../output/print.js';
import {
  chosenPlace,
  geometryFor,
  machineOf,
  type PlacementArguments,
  parseCount,
  withPlacement,
} from '../placement.js';

const OPTIONS = {
  'page-size': { type: 'string', requiresArg: true, describe: 'without KERNEL: 4096, 16384 or 65536 (default 4096)' },
  'image-size': { type: 'string', requiresArg: true, describe: 'without KERNEL: _end - _text in bytes' },
} as const satisfies Record<string, Options>;

type Arguments = PlacementArguments & InferredOptionTypes<typeof OPTIONS> & { kernel?: string; json?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .positional('kernel', { type: 'string', describe: 'vmlinux or Image' })
    .options(OPTIONS)
    .example('$0 place vmlinuz --seed 0xfedcba9876543210', 'where this boot put the kernel')
    .example('$0 place --era 6.9 --va-bits 48 --page-size 4096 --image-size 0x2500000 --seed 1', 'without a file');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const machine =
    options.kernel === undefined ? await machineWithoutKernel(options) : await machineOfFile(options.kernel, options);
  const placement = place(machine, chosenPlace(options));
  if (options.json) printJson(toJson(placement));
  else printPlacement(placement);
}

async function machineOfFile(file: string, options: Arguments): Promise<Machine> {
  for (const name of ['page-size', 'image-size'] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} says what the kernel file says already`);
  }
  const kernel = await readKernel(file, options);
  return aboutFile(file, () => machineOf(kernel, options, true));
}

async function machineWithoutKernel(options: Arguments): Promise<Machine> {
  const { era, 'va-bits': vaBits, 'image-size': imageSize } = options;
  if (era === undefined || vaBits === undefined || imageSize === undefined) {
    throw new UsageError('without a kernel file, --era, --va-bits and --image-size are needed');
  }
  const pageSize = parseCount(options['page-size'] ?? '4096', '--page-size');
  const config = await readConfig(options.config);
  return {
    era: eraByKey(era),
    geometry: geometryFor({ pageSize, vaBits: parseCount(vaBits, '--va-bits') }, options),
    imageSize: parseCount(imageSize, '--image-size'),
    phys: options.phys === undefined ? undefined : parseU64(options.phys, '--phys'),
    fullRegion: config?.fullRegion,
    kasan: config?.kasan,
  };
}

function toJson({ era, seed, offset, text, end, crossesBoundary, modules }: Placement): object {
  return {
    era,
    seed: seed === undefined ? null : formatU64(seed),
    offset: formatU64(BigInt(offset)),
    text: formatVa(text),
    end: formatVa(end),
    crossesBoundary,
    modules:
      'base' in modules
        ? { base: formatVa(modules.base), end: formatVa(modules.end) }
        : {
            windows: modules.windows.map(({ kind, size, lowest, highest }) => ({
              kind,
              size,
              lowest: formatVa(lowest),
              highest: formatVa(highest),
            })),
          },
  };
}

function printPlacement({ era, seed, offset, text, end, crossesBoundary, modules }: Placement): void {
  printFields([
    ['era', era],
    ...(seed === undefined ? [] : [['seed', formatU64(seed)] as const]),
    ['_text', formatVa(text)],
    ['_end', formatVa(end)],
    ['offset', formatU64(BigInt(offset))],
    ['straddles a boundary', crossesBoundary ? 'yes' : 'no'],
    ...('base' in modules
      ? [['modules', `${formatVa(modules.base)} - ${formatVa(modules.end)}`] as const]
      : modules.windows.map(
          ({ kind, size, lowest, highest }) =>
            [
              `modules (${kind})`,
              `${formatSize(size)} from between ${formatVa(lowest)} and ${formatVa(highest)}`,
            ] as const,
        )),
  ]);
}
