import type { Argv } from 'yargs';
import { formatVa } from '../../lib/address.js';
import { ET_REL } from '../../lib/elf/constant.js';
import { isElf } from '../../lib/elf/header.js';
import { unpack } from '../../lib/image/container.js';
import { type Kernel, openKernel } from '../../lib/image/kernel.js';
import { openModule } from '../../lib/module/module-file.js';
import { summarizeModule } from '../../lib/verify/module-summary.js';
import { readInput, readKernel } from '../input.js';
import { nameOfFile } from '../module-files.js';
import { aboutFile } from '../output/error.js';
import { formatCount, formatSize, printFields, printJson } from '../output/print.js';

interface Arguments {
  files: string[];
  json?: boolean;
}

export function builder(argv: Argv): Argv {
  return argv
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'kernels and modules' })
    .example('$0 inspect /boot/vmlinuz-*', 'every kernel installed')
    .example('$0 inspect xfs.ko', 'a module: relocations, code model, PLT entries reserved');
}

export async function handler(values: unknown): Promise<void> {
  const { files, json } = values as Arguments;
  const found = [];
  for (const file of files) found.push(await inspect(file));
  if (json) printJson(found);
  else {
    for (const [i, one] of found.entries()) {
      if (i > 0) process.stdout.write('\n');
      if (one.kind === 'kernel') printKernel(one);
      else printModule(one);
    }
  }
}

/** Kernels and modules come in the same containers; only what is inside tells them apart. */
async function inspect(file: string) {
  const { input, bytes } = await aboutFile(file, async () => {
    const input = readInput(file);
    return { input, bytes: (await unpack(input)).bytes };
  });
  if (isObject(bytes)) return aboutFile(file, () => inspectModule(file, bytes));
  // Standard input cannot be read twice, and has no name by which a configuration could be found.
  return inspectKernel(file, file === '-' ? await aboutFile(file, () => openKernel(input)) : await readKernel(file));
}

const isObject = (bytes: Uint8Array): boolean => isElf(bytes) && bytes[16] === ET_REL && bytes[17] === 0;

async function inspectKernel(file: string, kernel: Kernel) {
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

function inspectModule(file: string, bytes: Uint8Array) {
  const module = openModule(bytes, nameOfFile(file));
  const { codeModel, relocations, plt } = summarizeModule(module);
  return {
    file,
    kind: 'module' as const,
    name: module.name,
    vermagic: module.modinfo.vermagic ?? null,
    depends: module.modinfo.depends,
    codeModel,
    relocations: Object.fromEntries(relocations),
    plt,
  };
}

function printKernel(kernel: Awaited<ReturnType<typeof inspectKernel>>): void {
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

function printModule(module: ReturnType<typeof inspectModule>): void {
  const { core, init } = module.plt;
  printFields([
    ['file', module.file],
    ['module', module.name],
    ['version magic', module.vermagic ?? 'none'],
    ['depends on', module.depends.join(', ') || 'nothing'],
    ['code model', module.codeModel],
    ['PLT entries', `${formatCount(core.reserved)} reserved, ${formatCount(init.reserved)} for init`],
    ...Object.entries(module.relocations).map(([name, count]) => [name, formatCount(count)] as const),
  ]);
}
