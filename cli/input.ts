/** Files and numbers as they come from the command line. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Va, vaFromBigInt } from '../lib/address.js';
import { type Kernel, openKernel } from '../lib/image/kernel.js';
import { type KernelConfig, parseKernelConfig } from '../lib/image/kernel-config.js';
import { aboutFile, UsageError } from './output/error.js';

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

/** The symbols of a System.map, by name, at link addresses; lines of any other form are an error. */
export async function readSystemMap(file: string): Promise<Map<string, Va>> {
  return aboutFile(file, () => {
    const symbols = new Map<string, Va>();
    const lines = Buffer.from(readInput(file)).toString('latin1').split('\n');
    lines.forEach((line, i) => {
      if (line === '') return;
      const match = /^([0-9a-f]{16}) \S (\S+)$/i.exec(line);
      if (!match) throw new UsageError(`line ${i + 1} is no line of a System.map`);
      // Absolute constants may be no addresses; modules refer to none of them.
      const value = BigInt.asIntN(64, BigInt(`0x${match[1]}`));
      if (value < 0n && !symbols.has(match[2]!)) symbols.set(match[2]!, vaFromBigInt(value));
    });
    if (symbols.size === 0) throw new UsageError('no symbols: is this the stub that Debian installs?');
    return symbols;
  });
}
