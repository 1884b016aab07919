/** A progress bar with the time left, on a terminal: on stderr alone, so that results can be piped. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** So much is done of what was announced. */
  add(amount: number): void;
  stop(): void;
}

const SILENT: Progress = { add: () => {}, stop: () => {} };

/** @param what is counted, in the plural */
export function startProgress(what: string, total: number, isQuiet: boolean): Progress {
  if (isQuiet || !process.stderr.isTTY) return SILENT;
  const bar = new SingleBar({
    stream: process.stderr,
    format: `{bar} {value}/{total} ${what}, {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
    gracefulExit: false,
  });
  bar.start(total, 0);
  return { add: (amount) => bar.increment(amount), stop: () => bar.stop() };
}
