/** Standard output and standard error when they end early. */
import { exitCodeOf, FileError, reportError } from './error.js';

/** A reader that closes the pipe, as head does, has what it wants; a full disk is an error like that of any other file. */
export function endWithReaders(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    const named = new FileError('standard output', error);
    reportError(named, false);
    process.exit(exitCodeOf(named));
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => process.exit());
}
