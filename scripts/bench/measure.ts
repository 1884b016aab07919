/**
 * Clocks and medians, and lines that put a figure beside its yardstick.
 *
 * What is counted is processor time (user and system, of all threads): the machines that benchmarks run on have other things to do,
 * and wall time on a busy one says more about those. Wall times stand beside it, and count where a limit is one of waiting.
 */
import type { ProcessFigures } from './yardstick.js';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Nanoseconds of processor time that `work` takes, the compiler's and the collector's threads included. */
export function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

/** Two jobs in turn, so that a machine whose speed drifts slows both; medians, and that of the ratios pair by pair. */
export function interleaved<T>(
  rounds: number,
  { ours, theirs, value }: { ours: () => T; theirs: () => T; value: (measured: T) => number },
): { ours: T[]; theirs: T[]; ratio: number } {
  const pairs: { ours: T; theirs: T }[] = [];
  // The first pair warms caches and compilers and is not counted.
  for (let i = 0; i <= rounds; i++) pairs.push({ ours: ours(), theirs: theirs() });
  const counted = pairs.slice(1);
  return {
    ours: counted.map((pair) => pair.ours),
    theirs: counted.map((pair) => pair.theirs),
    ratio: median(counted.map((pair) => value(pair.ours) / value(pair.theirs))),
  };
}

/** Medians of several runs of one process. */
export function typical(runs: readonly ProcessFigures[]): ProcessFigures {
  const of = (figure: (run: ProcessFigures) => number): number => median(runs.map(figure));
  return {
    processor: of(({ processor }) => processor),
    wall: of(({ wall }) => wall),
    peakMegabytes: of(({ peakMegabytes }) => peakMegabytes),
  };
}

export interface Figure {
  readonly what: string;
  readonly figure: string;
  readonly yardstick: string;
  readonly ratio: number;
  /** The ratio not to be exceeded; absent where the figure is told for comparison alone. */
  readonly target?: number;
}

export function printFigure({ what, figure, yardstick, ratio, target }: Figure): void {
  const verdict = target === undefined ? '' : `  of at most ${target}x  ${ratio <= target ? 'met' : 'MISSED'}`;
  console.log(`${what.padEnd(62)} ${figure.padStart(20)}  ${yardstick.padStart(30)}  ${ratio.toFixed(2)}x${verdict}`);
}

/** `0.31 s (0.42 s wall)` */
export function seconds({ processor, wall }: ProcessFigures): string {
  return `${processor.toFixed(2)} s (${wall.toFixed(2)} s wall)`;
}
