/** Errors as a user sees them: one line on stderr, and the exit code. */
import { getSystemErrorMap } from 'node:util';
import { KaslrkitError } from '../../lib/errors.js';
import { colorsOf } from './color.js';
import { printable } from './print.js';

/** Words on the command line that make no sense. */
export class UsageError extends Error {}

/** An error and the file it is about. */
export class FileError extends Error {
  constructor(
    readonly file: string,
    override readonly cause: unknown,
  ) {
    super(`${file}: ${reasonOf(cause)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a directory',
  ENOTDIR: 'is not a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ERR_FS_FILE_TOO_LARGE: 'larger than 2 GiB',
};

/** What the operating system refused, in words; undefined for every other error. */
function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const words = 'errno' in error ? getSystemErrorMap().get(error.errno as number)?.[1] : undefined;
  return REASONS[error.code] ?? words;
}

function reasonOf(error: unknown): string {
  return systemReason(error) ?? (error instanceof Error ? error.message : String(error));
}

/** What yargs throws for an option that lacks its value; it does not export the class. */
const isYargsError = (error: unknown): boolean => error instanceof Error && error.name === 'YError';

function isExpected(error: unknown): boolean {
  if (error instanceof FileError) return isExpected(error.cause);
  if (isYargsError(error)) return true;
  return error instanceof UsageError || error instanceof KaslrkitError || systemReason(error) !== undefined;
}

/** 2 for what the user can mend, 70 (EX_SOFTWARE) for a bug. */
export function exitCodeOf(error: unknown): number {
  return isExpected(error) ? 2 : 70;
}

/** One line; what a hostile file has in its names is shown, not sent to the terminal. */
export function reportError(error: unknown, withStack: boolean): void {
  const line = printable(reasonOf(error).replaceAll(/\s*\n\s*/g, ' '));
  const bug = isExpected(error) ? '' : 'this is a bug in kaslrkit: ';
  process.stderr.write(`${colorsOf(process.stderr).red('kaslrkit:')} ${bug}${line}\n`);
  if (withStack && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`${cause.stack}\n`);
  }
}

/** Runs what concerns one file; whatever it throws names the file. */
export async function aboutFile<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(file, error);
  }
}
