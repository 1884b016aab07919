/** The C program that everything is measured against, compiled in the same run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../../lib/image/kernel.js';
import { interleaved, typical } from './measure.js';

/** Of one process from start to end: seconds, and megabytes of 10^6 bytes. */
export interface ProcessFigures {
  /** User and system time of all its threads. */
  readonly processor: number;
  readonly wall: number;
  readonly peakMegabytes: number;
}

/** 1 GiB: any move will do. */
export const DELTA = 2 ** 30;

export class Yardstick {
  readonly folder = mkdtempSync(join(tmpdir(), 'kaslrkit-bench-'));
  readonly #program = join(this.folder, 'yardstick');

  /** @throws if there is no C compiler `cc` */
  constructor() {
    execFileSync('cc', ['-O2', '-o', this.#program, 'scripts/bench/yardstick.c'], { stdio: 'inherit' });
  }

  /** Nanoseconds a relocation in the C loop, the median of so many rounds. */
  loop(file: string, kernel: Kernel, rounds: number): number {
    const words = ['loop', file, ...tableArguments(kernel), String(rounds)];
    return Number(execFileSync(this.#program, words, { encoding: 'utf8' }));
  }

  /** The command that does what `relocate` does, with SHA-256 or without. */
  relocateCommand(file: string, output: string, kernel: Kernel, hash: boolean): string[] {
    return [this.#program, hash ? 'hash' : 'relocate', file, output, ...tableArguments(kernel)];
  }

  /** One run of a command, its output discarded. @throws if it fails */
  run(command: readonly string[]): ProcessFigures {
    const line = execFileSync(this.#program, ['run', ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [status, wall, processor, kibibytes] = line.trim().split(' ').map(Number) as [number, number, number, number];
    if (status !== 0) throw new Error(`${command.join(' ').slice(0, 200)} exited with ${status}`);
    return { processor, wall, peakMegabytes: (kibibytes * 1024) / 1e6 };
  }

  /** Two commands in turn: medians of each, and of the ratio of their processor times. */
  pair(ours: readonly string[], theirs: readonly string[], runs: number) {
    const pairs = interleaved(runs, {
      ours: () => this.run(ours),
      theirs: () => this.run(theirs),
      value: ({ processor }) => processor,
    });
    return { ours: typical(pairs.ours), theirs: typical(pairs.theirs), ratio: pairs.ratio };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function tableArguments({ linkBase, tables: { rela, relr } }: Kernel): string[] {
  const base = BigInt.asUintN(64, BigInt(linkBase));
  return [base, DELTA, rela.offset, rela.count, relr.offset, relr.words].map(String);
}
