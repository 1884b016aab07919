import type { Argv } from 'yargs';
import { formatVa, hex16, va } from '../../lib/address.js';
import { readKernel } from '../input.js';
import { aboutFile } from '../output/error.js';
import { printable } from '../output/print.js';
import { type PlacementArguments, placeKernel, withPlacement } from '../placement.js';

type Arguments = PlacementArguments & { kernel: string; json?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .positional('kernel', { type: 'string', demandOption: true, describe: 'vmlinux or Image' })
    .example('$0 symbols vmlinuz > System.map', 'symbols at link addresses')
    .example('$0 symbols vmlinuz --seed 0xfedcba9876543210', 'where they were on that boot');
}

/** Lines joined before each write: one write a symbol takes longer than decoding them. */
const LINES_PER_WRITE = 8192;

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const kernel = await readKernel(options.kernel, options);
  await aboutFile(options.kernel, () => {
    const slid = options.seed !== undefined || options.text !== undefined;
    const offset = slid ? placeKernel(kernel, options, false).offset : 0;
    const { count, names, types, addresses } = kernel.symbols();
    if (options.json) {
      const exports = kernel.exports();
      printJsonLines(count, (i) => {
        const exported = exports.get(names[i]!) === addresses[i];
        return JSON.stringify({
          name: names[i],
          type: types[i],
          address: formatVa(va(addresses[i]! + offset)),
          exported,
        });
      });
    } else {
      printLines(count, (i) => `${hex16(addresses[i]! + offset)} ${printable(`${types[i]} ${names[i]}`)}\n`);
    }
  });
}

function printLines(count: number, line: (index: number) => string): void {
  for (let i = 0; i < count; ) {
    let lines = '';
    for (const end = Math.min(i + LINES_PER_WRITE, count); i < end; i++) lines += line(i);
    process.stdout.write(lines);
  }
}

/** A JSON array with one element a line. */
function printJsonLines(count: number, element: (index: number) => string): void {
  process.stdout.write('[\n');
  printLines(count, (i) => ` ${element(i)}${i + 1 < count ? ',' : ''}\n`);
  process.stdout.write(']\n');
}
