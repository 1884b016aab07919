/** Medians, and lines that put a figure beside its yardstick. */
import type { ProcessFigures, Yardstick } from './yardstick.js';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Two commands in turn, so that a machine whose speed drifts slows both; the median of each figure, and of the ratio pair by pair. */
export function pair(yardstick: Yardstick, ours: readonly string[], theirs: readonly string[], runs: number) {
  const pairs: { ours: ProcessFigures; theirs: ProcessFigures }[] = [];
  // The first pair warms the file cache and is not counted.
  for (let i = 0; i <= runs; i++) pairs.push({ ours: yardstick.run(ours), theirs: yardstick.run(theirs) });
  const counted = pairs.slice(1);
  return {
    ours: median(counted.map((p) => p.ours.seconds)),
    theirs: median(counted.map((p) => p.theirs.seconds)),
    ratio: median(counted.map((p) => p.ours.seconds / p.theirs.seconds)),
    peakMegabytes: median(counted.map((p) => p.ours.peakMegabytes)),
  };
}

export interface Figure {
  readonly what: string;
  readonly figure: string;
  readonly yardstick: string;
  /** Figure over yardstick, or over the limit where there is no yardstick. */
  readonly ratio: number;
  readonly target: number;
}

export function printFigure({ what, figure, yardstick, ratio, target }: Figure): void {
  const verdict = ratio <= target ? 'met' : 'MISSED';
  console.log(
    `${what.padEnd(58)} ${figure.padStart(12)} ${yardstick.padStart(26)}  ${ratio.toFixed(2)}x of at most ${target}x  ${verdict}`,
  );
}
