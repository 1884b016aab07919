/** Files and numbers as they come from the command line. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Kernel, openKernel } from '../lib/image/kernel.js';
import { type KernelConfig, parseKernelConfig } from '../lib/image/kernel-config.js';
import { aboutFile } from './output/error.js';

/** The bytes of a file, or of standard input for `-`. */
export function readInput(file: string): Uint8Array {
  return readFileSync(file === '-' ? 0 : file);
}

export interface KernelFileOptions {
  readonly era?: string | undefined;
  readonly config?: string | undefined;
}

/** Opens a kernel with the configuration given, or the `config-X` beside a `vmlinuz-X`. */
export async function readKernel(file: string, options: KernelFileOptions = {}): Promise<Kernel> {
  const config = await readConfig(options.config ?? configBeside(file));
  return aboutFile(file, () => openKernel(readInput(file), { era: options.era, config }));
}

/** The `config-X` beside a `vmlinuz-X`, as distributions install them. */
function configBeside(kernel: string): string | undefined {
  const name = basename(kernel);
  if (!name.startsWith('vmlinuz-')) return undefined;
  const config = join(dirname(kernel), name.replace('vmlinuz-', 'config-'));
  return existsSync(config) ? config : undefined;
}

export async function readConfig(file: string | undefined): Promise<KernelConfig | undefined> {
  if (file === undefined) return undefined;
  return aboutFile(file, () => parseKernelConfig(Buffer.from(readInput(file)).toString('latin1')));
}
