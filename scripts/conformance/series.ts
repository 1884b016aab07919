/** Boots of one kernel on one CPU, and where the kernels of a matrix are. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readKernel } from '../../cli/input.js';
import { UsageError } from '../../cli/output/error.js';
import type { Kernel } from '../../lib/image/kernel.js';
import { MATRICES, type MatrixRow, usualCpu } from './matrix.js';
import { type ModuleTree, openModuleTree } from './module-selection.js';
import type { Options } from './option.js';

export interface Series {
  readonly kernel: Kernel;
  readonly kernelFile: string;
  readonly cpu: string;
  readonly seeds: readonly bigint[];
  readonly modules: number;
  /** Empty where no modules are to be loaded. */
  readonly tree: ModuleTree;
  readonly treeFolder: string | undefined;
}

const NO_MODULES: ModuleTree = new Map();

export function randomSeeds(count: number): bigint[] {
  return Array.from({ length: count }, () => randomBytes(8).readBigUInt64LE());
}

/** What the options ask for. @throws UsageError if a matrix lacks a kernel, FileError for files that cannot be read */
export async function openSeries(options: Options): Promise<Series[]> {
  const { kernel: kernelFile, modules: treeFolder, seeds } = options;
  if (options.matrix !== undefined) return openMatrix(MATRICES[options.matrix], options.kernels);
  if (kernelFile === undefined) return [];
  const kernel = await readKernel(kernelFile);
  return [
    {
      kernel,
      kernelFile,
      cpu: options.cpu ?? usualCpu(kernel.pageSize),
      seeds: typeof seeds === 'number' ? randomSeeds(seeds) : seeds,
      modules: treeFolder === undefined ? 0 : options.count,
      tree: treeFolder === undefined ? NO_MODULES : await openModuleTree(treeFolder),
      treeFolder,
    },
  ];
}

async function openMatrix(rows: readonly MatrixRow[], folder: string): Promise<Series[]> {
  const names = [...new Set(rows.map(({ kernel }) => kernel))];
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw new UsageError(`${folder} lacks kernels: scripts/fetch-kernels.sh ${folder} ${missing.join(' ')}`);
  }
  const opened = new Map<string, Pick<Series, 'kernel' | 'kernelFile' | 'tree' | 'treeFolder'>>();
  for (const name of names) {
    const treeFolder = join(folder, name);
    const kernelFile = findKernel(treeFolder);
    opened.set(name, {
      kernel: await readKernel(kernelFile),
      kernelFile,
      tree: await openModuleTree(treeFolder),
      treeFolder,
    });
  }
  return rows.map((row) => ({
    ...opened.get(row.kernel)!,
    cpu: row.cpu,
    seeds: randomSeeds(row.seeds),
    modules: row.modules,
  }));
}

/** The kernel of an unpacked package: /boot/vmlinuz-VERSION, or /usr/lib/modules/VERSION/vmlinuz. */
function findKernel(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const kernel = entries.find((entry) => entry.isFile() && /^vmlinuz/.test(entry.name));
  if (kernel === undefined) throw new UsageError(`${folder}: no vmlinuz below it`);
  return join(kernel.parentPath, kernel.name);
}
