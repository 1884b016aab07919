/** Output files: whole or not at all, and never in place of an input. */
import { randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve, win32 } from 'node:path';
import { aboutFile, UsageError } from './error.js';

/** The name that stands for standard output where a file is written; a command then prints nothing else there. */
export const STANDARD_OUTPUT = '-';

/** @throws UsageError if writing `output` would replace one of `inputs`; FileError if its folder or an input does not exist */
export async function requireNotInput(output: string, ...inputs: readonly string[]): Promise<void> {
  if (output === STANDARD_OUTPUT) return;
  await aboutFile(output, () => statSync(dirname(output)));
  await requireNoneOf(output, await identitiesOf(inputs));
}

/** What a file is whatever it is called; undefined for devices and pipes, which are written to and not replaced. */
function identityOf(stats: BigIntStats | undefined): string | undefined {
  return stats?.isFile() || stats?.isSymbolicLink() ? `${stats.dev}:${stats.ino}` : undefined;
}

/** The inputs themselves, and the links that they were named by. */
async function identitiesOf(inputs: readonly string[]): Promise<Set<string | undefined>> {
  const identities = new Set<string | undefined>();
  const exact = { bigint: true } as const;
  for (const input of inputs) {
    const found = await aboutFile(input, () =>
      input === '-' ? [fstatSync(0, exact)] : [lstatSync(input, exact), statSync(input, exact)],
    );
    for (const stats of found) identities.add(identityOf(stats));
  }
  return identities;
}

async function requireNoneOf(output: string, inputs: ReadonlySet<string | undefined>): Promise<void> {
  const exact = { bigint: true, throwIfNoEntry: false } as const;
  // A link is replaced, unless it is one of those that are written through.
  const stats = await aboutFile(output, () => (isSpecial(output) ? statSync(output, exact) : lstatSync(output, exact)));
  const identity = identityOf(stats);
  if (identity !== undefined && inputs.has(identity))
    throw new UsageError(`${output}: is an input; inputs are never overwritten`);
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

/** Not mkdirSync's `recursive`, which in Node 20 tries for ever where nothing can be made, as in /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have been faster.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** A folder of outputs that appear together: kept beside it until all are written. */
export class OutputFolder {
  readonly #folder: string;
  readonly #staging: string;
  readonly #inputs: ReadonlySet<string | undefined>;

  /**
   * @param inputs files that none of the outputs may replace
   * @throws FileError if the folder cannot be made or an input does not exist; UsageError for standard output
   */
  static async create(folder: string, inputs: readonly string[]): Promise<OutputFolder> {
    if (folder === STANDARD_OUTPUT)
      throw new UsageError(`-o ${folder}: a folder is needed, one ELF per module goes there`);
    const identities = await identitiesOf(inputs);
    return aboutFile(folder, () => {
      makeFolder(resolve(folder));
      return new OutputFolder(folder, mkdtempSync(join(folder, '.kaslrkit-')), identities);
    });
  }

  private constructor(folder: string, staging: string, inputs: ReadonlySet<string | undefined>) {
    this.#folder = folder;
    this.#staging = staging;
    this.#inputs = inputs;
  }

  /**
   * @param name a plain file name
   * @throws UsageError for a path: what a file says of itself must not lead out of the folder, on any system; and if it
   * would replace an input
   */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    if (win32.basename(name) !== name) throw new UsageError(`'${name}' is no file name`);
    await requireNoneOf(join(this.#folder, name), this.#inputs);
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
