/** `symbols` as a whole process, against its limit and against node alone. */
import { printFigure, seconds } from './measure.js';
import type { Yardstick } from './yardstick.js';

const RUNS = 7;
const LIMIT_SECONDS = 0.7;

export function benchSymbols(yardstick: Yardstick, name: string, file: string): void {
  const command = [process.execPath, 'dist/cli/main.js', 'symbols', file];
  const { ours, theirs, ratio } = yardstick.pair(command, [process.execPath, '-e', '0'], RUNS);
  printFigure({
    what: `${name}: symbols, whole process`,
    figure: seconds(ours),
    yardstick: `limit ${LIMIT_SECONDS} s wall`,
    ratio: ours.wall / LIMIT_SECONDS,
    target: 1,
  });
  printFigure({
    what: `${name}: symbols, against node doing nothing`,
    figure: seconds(ours),
    yardstick: `node ${seconds(theirs)}`,
    ratio,
  });
}
