/** Files and numbers as they come from the command line. */
import { existsSync, fstatSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Va, vaFromBigInt } from '../lib/address.js';
import { type Kernel, openKernel } from '../lib/image/kernel.js';
import { type KernelConfig, parseKernelConfig } from '../lib/image/kernel-config.js';
import { aboutFile, UsageError } from './output/error.js';
import { formatSize } from './output/print.js';

/**
 * The bytes of a file, or of standard input for `-`.
 * @throws UsageError for a pipe with more than 2 GiB, as readFileSync() does for a file
 */
export function readInput(file: string): Uint8Array {
  return file === '-' ? readStandardInput(2 ** 31 - 1, 'larger than 2 GiB') : readFileSync(file);
}

const STDIN = 0;
const CHUNK = 2 ** 20;

/**
 * Chunks are filled before the next is made: a writer of single bytes must not cost one for each.
 * @throws UsageError with the words given for more than `limit` bytes, at the latest one chunk after them
 */
function readStandardInput(limit: number, refusal: string): Uint8Array {
  const { size } = fstatSync(STDIN);
  if (size > limit) throw new UsageError(refusal);
  const chunks = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const filled = fill(chunk);
    chunks.push(chunk.subarray(0, filled));
    total += filled;
    if (total > limit) throw new UsageError(refusal);
    if (filled < CHUNK) return Buffer.concat(chunks, total);
  }
}

/** Reads until the chunk is full or the input ends, and returns how much there was. */
function fill(chunk: Buffer): number {
  let filled = 0;
  while (filled < chunk.length) {
    const count = readSome(chunk, filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

const POLL_MS = 10;
const never = new Int32Array(new SharedArrayBuffer(4));

/** Another process that holds the same pipe may have made it non-blocking; then a slow writer looks like an error. */
function readSome(chunk: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(STDIN, chunk, at, chunk.length - at, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows' word for the end of a pipe.
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(never, 0, 0, POLL_MS);
    }
  }
}

/** Far above any plan or .config: values parsed from JSON take twenty times its size. */
const TEXT_LIMIT = 16 * 2 ** 20;
/** A kernel with everything built in has a million symbols, of 50 bytes. */
const SYSTEM_MAP_LIMIT = 128 * 2 ** 20;

/**
 * A text that is parsed as a whole. Bytes that are no UTF-8 come out as replacement characters, which no format here accepts.
 * @throws UsageError for what is larger than any such text, before it becomes one: a string ends at 512 MiB
 */
export function readText(file: string, limit = TEXT_LIMIT): string {
  const refusal = `is no text of its kind: larger than ${formatSize(limit)}`;
  if (file !== '-' && statSync(file).size > limit) throw new UsageError(refusal);
  const bytes = file === '-' ? readStandardInput(limit, refusal) : readInput(file);
  // A named pipe has no size before it is read.
  if (bytes.length > limit) throw new UsageError(refusal);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

export interface KernelFileOptions {
  readonly era?: string | undefined;
  readonly config?: string | undefined;
}

/** All files that readKernel() reads. */
export function filesOfKernel(file: string, options: KernelFileOptions = {}): string[] {
  const config = options.config ?? configBeside(file);
  return config === undefined ? [file] : [file, config];
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
  return aboutFile(file, () => parseKernelConfig(readText(file)));
}

/** The symbols of a System.map, by name, at link addresses. */
export async function readSystemMap(file: string): Promise<Map<string, Va>> {
  return aboutFile(file, () => parseSystemMap(readText(file, SYSTEM_MAP_LIMIT)));
}

/** @throws UsageError naming the line that is not of the form `ffff800008000000 T _text`, or if there are no symbols */
export function parseSystemMap(text: string): Map<string, Va> {
  const symbols = new Map<string, Va>();
  // Line by line: an array of all the lines of a file without symbols would be eight times as large.
  for (let start = 0, count = 1; start < text.length; count++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (line === '') continue;
    const match = /^([0-9a-f]{16}) \S (\S+)$/i.exec(line);
    if (!match) throw new UsageError(`line ${count} is no line of a System.map`);
    // Absolute constants may be no addresses; modules refer to none of them.
    const value = BigInt.asIntN(64, BigInt(`0x${match[1]}`));
    if (value < 0n && !symbols.has(match[2]!)) symbols.set(match[2]!, vaFromBigInt(value));
  }
  if (symbols.size === 0) throw new UsageError('no symbols: is this the stub that Debian installs?');
  return symbols;
}
