/** The C program that everything is measured against, compiled in the same run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../../lib/image/kernel.js';

export interface ProcessFigures {
  readonly seconds: number;
  readonly peakMegabytes: number;
}

export class Yardstick {
  readonly folder = mkdtempSync(join(tmpdir(), 'kaslrkit-bench-'));
  readonly #program = join(this.folder, 'yardstick');

  /** @throws if there is no C compiler `cc` */
  constructor() {
    execFileSync('cc', ['-O2', '-o', this.#program, 'scripts/bench/yardstick.c'], { stdio: 'inherit' });
  }

  /** Nanoseconds a relocation in the C loop, the median of many rounds. */
  loop(file: string, kernel: Kernel, rounds: number): number {
    return Number(
      execFileSync(this.#program, ['loop', file, ...tableArguments(kernel), String(rounds)], { encoding: 'utf8' }),
    );
  }

  /** The command that does what `relocate` does. */
  relocateCommand(file: string, output: string, kernel: Kernel): string[] {
    return [this.#program, 'relocate', file, output, ...tableArguments(kernel)];
  }

  /** Wall time and peak memory of one run of a command, its output discarded. @throws if it fails */
  run(command: readonly string[]): ProcessFigures {
    const line = execFileSync(this.#program, ['run', ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [status, seconds, kibibytes] = line.trim().split(' ').map(Number) as [number, number, number];
    if (status !== 0) throw new Error(`${command.join(' ').slice(0, 200)} exited with ${status}`);
    return { seconds, peakMegabytes: (kibibytes * 1024) / 1e6 };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** 1 GiB: any move will do. */
export const DELTA = 2 ** 30;

function tableArguments({ linkBase, tables: { rela, relr } }: Kernel): string[] {
  const base = BigInt.asUintN(64, BigInt(linkBase));
  return [base, DELTA, rela.offset, rela.count, relr.offset, relr.words].map(String);
}
