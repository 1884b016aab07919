/**
 * Real kernels for the conformance tests: looked up by content, because distributions rename and rebuild files.
 *
 * Searched are files named vmlinuz* under $KASLRKIT_KERNELS, or .kernels/ of the project; `scripts/fetch-kernels.sh` fills
 * either. Where nobody promised them, a missing kernel is said plainly and its tests are not run; where $KASLRKIT_KERNELS is
 * set, it is a failure.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function readOracle<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as T;
}

/** Names of the files of a folder of oracles. */
export function oraclesIn(folder: string): string[] {
  return readdirSync(new URL(`../${folder}/`, import.meta.url)).map((file) => `${folder}/${file}`);
}

const promised = process.env.KASLRKIT_KERNELS || undefined;
const FOLDER = promised ?? new URL('../../../.kernels', import.meta.url).pathname;

function* kernelFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* kernelFiles(path);
    else if (entry.isFile() && entry.name.startsWith('vmlinuz')) yield path;
  }
}

let bySha256: ReadonlyMap<string, string> | undefined;

/** Every kernel there is, by the SHA-256 of its file; hashed once a process. */
export function presentKernels(): ReadonlyMap<string, string> {
  bySha256 ??= new Map(
    existsSync(FOLDER) ? Array.from(kernelFiles(FOLDER), (path) => [sha256(readFileSync(path)), path]) : [],
  );
  return bySha256;
}

/**
 * `describe` for tests of one real kernel.
 * @param id names the kernel, and the tests
 */
export function describeKernel(id: string, hash: string, tests: (path: string) => void): void {
  const path = presentKernels().get(hash);
  if (path !== undefined) {
    describe(id, () => tests(path));
    return;
  }
  const reason = `no vmlinuz* with SHA-256 ${hash} under ${FOLDER}`;
  if (promised === undefined) {
    process.stderr.write(`did not run: ${id}: ${reason} (scripts/fetch-kernels.sh gets kernels)\n`);
    return;
  }
  describe(id, () => {
    it('is where KASLRKIT_KERNELS says', () => {
      throw new Error(reason);
    });
  });
}
