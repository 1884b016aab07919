import type { Argv } from 'yargs';
import { formatVa } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import { readKernel } from '../input.js';
import { aboutFile } from '../output/error.js';
import { formatCount, formatSize, printFields, printJson } from '../output/print.js';

interface Arguments {
  files: string[];
  json?: boolean;
}

export function builder(argv: Argv): Argv {
  return argv
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'kernels and modules' })
    .example('$0 inspect /boot/vmlinuz-*', 'every kernel installed');
}

export async function handler(values: unknown): Promise<void> {
  const { files, json } = values as Arguments;
  const found = [];
  for (const file of files) found.push(await inspectKernel(file));
  if (json) printJson(found);
  else for (const [i, kernel] of found.entries()) printKernel(kernel, i > 0);
}

async function inspectKernel(file: string) {
  const kernel = await readKernel(file);
  return aboutFile(file, () => ({
    file,
    kind: 'kernel' as const,
    format: kernel.format,
    compression: kernel.compression,
    version: kernel.banner.release,
    era: kernel.era.key,
    pageSize: kernel.pageSize,
    vaBits: kernel.vaBits,
    vaBitsMin: kernel.vaBitsMin,
    linkBase: formatVa(kernel.linkBase),
    imageSize: kernel.imageSize,
    relocations: kernel.tables,
    symbols: countSymbols(kernel),
  }));
}

function countSymbols(kernel: Kernel): { count: number; exported: number } {
  return { count: kernel.symbols().count, exported: kernel.exports().size };
}

function printKernel(kernel: Awaited<ReturnType<typeof inspectKernel>>, isNext: boolean): void {
  if (isNext) process.stdout.write('\n');
  const { rela, relr } = kernel.relocations;
  printFields([
    ['file', kernel.file],
    ['kernel', `${kernel.version}, ${kernel.format}${kernel.compression === 'none' ? '' : `, ${kernel.compression}`}`],
    ['era', kernel.era],
    [
      'pages',
      `${kernel.pageSize / 1024}K, ${kernel.vaBits} VA bits${kernel.vaBits > kernel.vaBitsMin ? ` (${kernel.vaBitsMin} on a CPU without more)` : ''}`,
    ],
    ['linked at', kernel.linkBase],
    ['image size', `${formatSize(kernel.imageSize)} (${kernel.imageSize} bytes)`],
    ['RELA', rela.count ? `${formatCount(rela.count)} at 0x${rela.offset.toString(16)}` : 'none'],
    [
      'RELR',
      relr.count
        ? `${formatCount(relr.count)} in ${formatCount(relr.words)} words at 0x${relr.offset.toString(16)}`
        : 'none',
    ],
    ['symbols', `${formatCount(kernel.symbols.count)}, ${formatCount(kernel.symbols.exported)} exported`],
  ]);
}
