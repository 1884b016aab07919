import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { type Entropy, entropyOf, type Uncertainty } from '../../lib/entropy/entropy.js';
import type { Era } from '../../lib/kaslr/era.js';
import type { Machine } from '../../lib/kaslr/place.js';
import { type MachineArguments, readMachine, withMachine } from '../machine.js';
import { formatCount, printFields, printJson } from '../output/print.js';
import { printTable } from '../output/table.js';
import { parseCount } from '../placement.js';

const OPTIONS = {
  'memory-span': {
    type: 'string',
    requiresArg: true,
    describe:
      'bytes from the start of memory to its end; from 5.11 2^PARange (default 0: most room for the linear map)',
  },
} as const satisfies Record<string, Options>;

/** As wide as `33.98`. */
const BITS_WIDTH = 5;

type Arguments = MachineArguments & InferredOptionTypes<typeof OPTIONS> & { json?: boolean };

export function builder(argv: Argv): Argv {
  return withMachine(argv)
    .options(OPTIONS)
    .example('$0 entropy vmlinuz --va-bits 52', 'on a CPU with LPA2')
    .example('$0 entropy --era 6.0 --va-bits 39 --image-size 0x2000000', 'without a file');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const machine = await readMachine(options);
  const span = options['memory-span'];
  const entropy = entropyOf(machine, span === undefined ? 0 : parseCount(span, '--memory-span'));
  if (options.json) printJson(toJson(entropy, machine));
  else printEntropy(entropy, machine);
}

/** `bitsLeft` is of what the pointer's owner seeks: the modules behind a kernel pointer, the kernel behind the others. */
function toJson({ era, geometry, regions, leak }: Entropy, { imageSize }: Machine): object {
  const { kernelPointer, modulePointer, linearMapPointer } = leak;
  return {
    era,
    vaBits: geometry.vaBits,
    cpuVaBits: geometry.vaBitsActual,
    pageSize: geometry.pageSize,
    imageSize,
    slots: regions.kernel.slots,
    bits: regions.kernel.bits,
    regions,
    leak: {
      kernelPointer: { bitsLeft: kernelPointer.modules.bits, ...kernelPointer },
      modulePointer: { bitsLeft: modulePointer.kernel.bits, ...modulePointer },
      ...(linearMapPointer && { linearMapPointer: { bitsLeft: linearMapPointer.kernel.bits, ...linearMapPointer } }),
    },
  };
}

function printEntropy({ era, geometry, regions, leak }: Entropy, machine: Machine): void {
  const { pageSize, vaBits, vaBitsActual } = geometry;
  printFields([
    ['era', era],
    ['VA bits', `${vaBits}, on a CPU with ${vaBitsActual}`],
    ['pages', `${pageSize / 1024}K`],
    ['image size', `${formatCount(machine.imageSize)} bytes`],
  ]);
  const { kernelPointer, modulePointer, linearMapPointer } = leak;
  const why = explain(machine);
  const row = (known: string, of: string, left: Uncertainty | undefined, text: string): (string | number)[][] =>
    left ? [[known, of, left.slots, left.bits.toFixed(2).padStart(BITS_WIDTH), text]] : [];
  process.stdout.write('\n');
  printTable(
    ['known', 'unknown', 'slots', 'bits', ''],
    [
      ...row('nothing', 'kernel', regions.kernel, `${why.kernel}${likeliest(regions.kernel)}`),
      ...row('nothing', 'modules', regions.modules, why.modules),
      ...row('nothing', 'linear map', regions.linearMap, why.linearMap),
      ...row('kernel', 'modules', kernelPointer.modules, why.modulesFromKernel),
      ...row('kernel', 'linear map', kernelPointer.linearMap, why.others),
      ...row('modules', 'kernel', modulePointer.kernel, why.kernelFromModules),
      ...row('modules', 'linear map', modulePointer.linearMap, why.others),
      ...row('linear map', 'kernel', linearMapPointer?.kernel, why.others),
      ...row('linear map', 'modules', linearMapPointer?.modules, why.others),
    ],
  );
}

const likeliest = ({ bits, minBits }: Entropy['regions']['kernel']): string =>
  bits - minBits < 0.005 ? '' : `; the likeliest slots leave ${minBits.toFixed(2)}`;

const KERNEL: Readonly<Record<Era['imageRule'], string>> = {
  'lower-half': '2 MiB slots of the lower half of vmalloc, bits 21 and up of the seed',
  'middle-half': '2 MiB slots of the middle half of vmalloc, bits 21 and up of the seed',
  'scaled-range': '2 MiB slots of the middle half of vmalloc, the seed scaled to it',
};

const CROSSING: Readonly<Record<Era['crossingRule'], string>> = {
  ignore: '',
  'add-image-size': '; off a boundary by its size',
  'round-down': '; down to the boundary it would straddle',
};

/** What the linear map and the others tell of each other. */
const OTHERS: Readonly<Record<Era['imageRule'], string>> = {
  'lower-half': 'other bits of the seed: nothing is told',
  'middle-half': 'other bits of the seed: nothing is told',
  'scaled-range': 'the low 16 bits of the seed, which hardly move the image: next to nothing is told',
};

/** One line for each row of the table. */
function explain({ era, fullRegion = true, kasan = false }: Machine) {
  const still = kasan && era.kasanRule !== 'none';
  const anywhere = !still && fullRegion && era.moduleRule === 'whole-vmalloc';
  const near = fullRegion ? 'in the window around the kernel' : 'within reach of direct branches';
  const drawn = era.moduleRule === 'boxes' ? 'a page drawn' : '21 random bits, rounded to pages,';
  return {
    kernel: `${KERNEL[era.imageRule]}${CROSSING[era.crossingRule]}`,
    modules: still
      ? 'KASAN: where they were linked to go'
      : anywhere
        ? '21 bits over all of vmalloc'
        : 'kernel and window together',
    linearMap: '16 bits of the seed, at most; fewer where memory leaves less room (--memory-span)',
    modulesFromKernel: still || anywhere ? 'the kernel tells nothing of them' : `${drawn} ${near}`,
    kernelFromModules: still || anywhere ? 'they tell nothing of the kernel' : 'slots whose window holds that base',
    others: OTHERS[era.imageRule],
  };
}
