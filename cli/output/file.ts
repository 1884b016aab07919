/** Output files: whole or not at all, and never in place of an input. */
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve, win32 } from 'node:path';
import { aboutFile, UsageError } from './error.js';

/** The name that stands for standard output where a file is written; a command then prints nothing else there. */
export const STANDARD_OUTPUT = '-';

/** @throws UsageError if writing `output` would replace `input`; FileError if either's folder does not exist */
export async function requireNotInput(output: string, input: string): Promise<void> {
  if (output === STANDARD_OUTPUT) return;
  const target = await aboutFile(output, () => join(realpathSync(dirname(output)), basename(output)));
  const sources = input === '-' ? [] : await aboutFile(input, () => [resolve(input), realpathSync(input)]);
  if (sources.includes(target)) throw new UsageError(`${output}: is the input; inputs are never overwritten`);
}

/** Whether a file of this name must not be replaced: devices and pipes, and the links to them that /dev has. */
function isSpecial(file: string): boolean {
  return resolve(file).startsWith('/dev/') || !(statSync(file, { throwIfNoEntry: false })?.isFile() ?? true);
}

/**
 * Writes beside the target and renames, so that no reader sees half a file and a link in its place is replaced, not
 * followed. Only a device or pipe is written to as it stands: root would replace /dev/null itself.
 */
export async function writeOutput(file: string, bytes: Uint8Array | string): Promise<void> {
  if (file === STANDARD_OUTPUT) {
    process.stdout.write(bytes);
    return;
  }
  await aboutFile(file, () => {
    if (isSpecial(file)) return writeFileSync(file, bytes);
    const beside = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      writeFileSync(beside, bytes, { flag: 'wx' });
      renameSync(beside, file);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  });
}

/** A folder of outputs that appear together: kept beside it until all are written. */
export class OutputFolder {
  readonly #folder: string;
  readonly #staging: string;

  /** @throws FileError if the folder cannot be made; UsageError for standard output */
  static async create(folder: string): Promise<OutputFolder> {
    if (folder === STANDARD_OUTPUT)
      throw new UsageError(`-o ${folder}: a folder is needed, one ELF per module goes there`);
    return aboutFile(folder, () => {
      mkdirSync(folder, { recursive: true });
      return new OutputFolder(folder, mkdtempSync(join(folder, '.kaslrkit-')));
    });
  }

  private constructor(folder: string, staging: string) {
    this.#folder = folder;
    this.#staging = staging;
  }

  /**
   * @param name a plain file name
   * @throws UsageError for a path: what a file says of itself must not lead out of the folder, on any system
   */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    if (win32.basename(name) !== name) throw new UsageError(`'${name}' is no file name`);
    await aboutFile(join(this.#folder, name), () => writeFileSync(join(this.#staging, name), bytes, { flag: 'wx' }));
  }

  /** Moves everything into place; a link of the same name is replaced, not followed. */
  async publish(): Promise<void> {
    await aboutFile(this.#folder, () => {
      for (const name of readdirSync(this.#staging)) renameSync(join(this.#staging, name), join(this.#folder, name));
    });
  }

  /** Removes what was not published. */
  discard(): void {
    rmSync(this.#staging, { recursive: true, force: true });
  }
}
