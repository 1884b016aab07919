import { createHash } from 'node:crypto';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { formatU64, formatVa } from '../../lib/address.js';
import { placedElf } from '../../lib/image/placed-elf.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import { filesOfKernel, readKernel } from '../input.js';
import { aboutFile } from '../output/error.js';
import { requireNotInput, STANDARD_OUTPUT, writeOutput } from '../output/file.js';
import { formatCount, printFields, printJson } from '../output/print.js';
import { type PlacementArguments, placeKernel, withPlacement } from '../placement.js';

const OPTIONS = {
  output: { alias: 'o', type: 'string', requiresArg: true, describe: "file to write ('-': standard output)" },
  format: {
    choices: ['image', 'elf'],
    default: 'image',
    describe: 'the bytes as they stand in memory, or an ELF at run addresses for gdb and objdump',
  },
} as const satisfies Record<string, Options>;

type Arguments = PlacementArguments & InferredOptionTypes<typeof OPTIONS> & { kernel: string; json?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .positional('kernel', { type: 'string', demandOption: true, describe: 'vmlinux or Image' })
    .options(OPTIONS)
    .example('$0 relocate vmlinuz --seed 0xfedcba9876543210 -o Image.run', 'the image of that boot')
    .example('$0 relocate vmlinuz --text 0xffffde3841e00000 --format elf -o vmlinux.run', 'for gdb, from a crash log');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  if (options.output !== undefined) await requireNotInput(options.output, ...filesOfKernel(options.kernel, options));
  const kernel = await readKernel(options.kernel, options);
  const { placement, applied, bytes } = await aboutFile(options.kernel, () => {
    const placement = placeKernel(kernel, options, false);
    const image = kernel.relocatable();
    const applied = relocateImage(image, placement.offset);
    const bytes = options.format === 'elf' ? placedElf(kernel, image.bytes, placement.offset) : image.bytes;
    return { placement, applied, bytes };
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (options.output !== undefined) await writeOutput(options.output, bytes);
  if (options.output === STANDARD_OUTPUT) return;
  const { text, offset } = placement;
  if (options.json) {
    printJson({
      text: formatVa(text),
      offset: formatU64(BigInt(offset)),
      applied,
      sha256,
      output: options.output ?? null,
    });
    return;
  }
  printFields([
    ['_text', formatVa(text)],
    ['offset', formatU64(BigInt(offset))],
    ['applied', `${formatCount(applied.rela)} RELA, ${formatCount(applied.relr)} RELR`],
    ['sha256', sha256],
    ...(options.output === undefined ? [] : [['output', options.output] as const]),
  ]);
}
