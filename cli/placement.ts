/** The options that say where an image is, shared by every command that places one. */
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { parseU64, parseVa, type Va } from '../lib/address.js';
import { ImageFormatError, PlacementError } from '../lib/errors.js';
import type { Kernel } from '../lib/image/kernel.js';
import { ERAS } from '../lib/kaslr/era.js';
import { type Geometry, geometryOf } from '../lib/kaslr/layout.js';
import { type Chosen, type Machine, type Placement, place, requireRunnable } from '../lib/kaslr/place.js';
import { UsageError } from './output/error.js';

export const PLACEMENT_OPTIONS = {
  seed: {
    type: 'string',
    requiresArg: true,
    describe: '/chosen/kaslr-seed, 64 bits, decimal or 0x hex; 0: KASLR is off',
  },
  text: { type: 'string', requiresArg: true, describe: 'run address of _text, in place of a seed' },
  phys: {
    type: 'string',
    requiresArg: true,
    describe: 'load address of the image; its low 21 bits move _text (default: none)',
  },
  'va-bits': { type: 'string', requiresArg: true, describe: 'VA bits the CPU offers (default: VA_BITS_MIN)' },
  era: {
    type: 'string',
    requiresArg: true,
    describe: `rules to follow: ${ERAS.map(({ key }) => key).join(' ')} (default: by version)`,
  },
  config: { type: 'string', requiresArg: true, describe: 'kernel .config (default: config-X beside vmlinuz-X)' },
} as const satisfies Record<string, Options>;

export type PlacementArguments = InferredOptionTypes<typeof PLACEMENT_OPTIONS>;

export function withPlacement(argv: Argv): Argv {
  return argv.options(PLACEMENT_OPTIONS).conflicts('seed', 'text');
}

/** The seed or the run address that was given. @throws UsageError if neither was, PlacementError BAD_SEED */
export function chosenPlace({ seed, text }: PlacementArguments): Chosen {
  if (text !== undefined) return { text: parseVa(text, '--text') };
  if (seed === undefined) throw new UsageError('one of --seed and --text is needed');
  return { seed: parseSeed(seed) };
}

export function parseSeed(text: string): bigint {
  try {
    return parseU64(text, 'seed');
  } catch (cause) {
    throw new PlacementError('BAD_SEED', (cause as Error).message, {}, { cause });
  }
}

/** A number of bits, bytes or anything else that stays below 2^53. */
export function parseCount(text: string, what: string): number {
  const value = parseU64(text, what);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new UsageError(`${what} ${text} is too large`);
  return Number(value);
}

export function geometryFor(
  kernel: { pageSize: number; vaBits: number },
  { 'va-bits': vaBits }: PlacementArguments,
): Geometry {
  return geometryOf(kernel, vaBits === undefined ? undefined : parseCount(vaBits, '--va-bits'));
}

/** A kernel without kallsyms can be placed all the same. */
function symbolOf(kernel: Kernel, name: string): Va | undefined {
  try {
    return kernel.symbol(name);
  } catch (error) {
    if (error instanceof ImageFormatError && error.code === 'NO_SYMBOLS') return undefined;
    throw error;
  }
}

/** The machine that a kernel file runs on. `withText` looks up `_stext` and `_etext`, which costs decoding the symbols. */
export function machineOf(kernel: Kernel, values: PlacementArguments, withText: boolean): Machine {
  const distance = (name: string): number | undefined => {
    const address = withText ? symbolOf(kernel, name) : undefined;
    return address === undefined ? undefined : address - kernel.linkBase;
  };
  return {
    era: kernel.era,
    release: kernel.banner.release,
    geometry: geometryFor(kernel, values),
    imageSize: kernel.imageSize,
    linkBase: kernel.linkBase,
    stext: distance('_stext'),
    etext: distance('_etext'),
    phys: values.phys === undefined ? undefined : parseU64(values.phys, '--phys'),
    fullRegion: kernel.config.fullRegion,
    kasan: kernel.config.kasan,
  };
}

/** @throws as `place` and `requireRunnable` */
export function placeMachine(machine: Machine, chosen: Chosen): Placement {
  const placement = place(machine, chosen);
  requireRunnable(placement, machine.geometry);
  return placement;
}

/** Places a kernel file as the options say. */
export function placeKernel(kernel: Kernel, values: PlacementArguments, withText: boolean): Placement {
  return placeMachine(machineOf(kernel, values, withText), chosenPlace(values));
}
