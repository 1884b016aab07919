/** `symbols` as a whole process, against its limit in seconds. */
import { median, printFigure } from './measure.js';
import type { Yardstick } from './yardstick.js';

const RUNS = 7;
const LIMIT_SECONDS = 0.7;

export function benchSymbols(yardstick: Yardstick, name: string, file: string): void {
  const command = [process.execPath, 'dist/cli/main.js', 'symbols', file];
  const seconds = median(Array.from({ length: RUNS }, () => yardstick.run(command).seconds));
  const empty = median(Array.from({ length: RUNS }, () => yardstick.run([process.execPath, '-e', '0']).seconds));
  printFigure({
    what: `${name}: symbols, whole process (node alone takes ${(empty * 1000).toFixed(0)} ms)`,
    figure: `${seconds.toFixed(2)} s`,
    yardstick: `limit ${LIMIT_SECONDS} s`,
    ratio: seconds / LIMIT_SECONDS,
    target: 1,
  });
}
