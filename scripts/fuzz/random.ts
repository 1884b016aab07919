/** Random choices from a string seed: the same on every machine, so that a failing mutant can be made again from its number. */
import seedrandom from 'seedrandom';

export class Random {
  readonly #next: seedrandom.PRNG;

  constructor(seed: string) {
    this.#next = seedrandom(seed);
  }

  /** An integer in `[0, end)`. */
  below(end: number): number {
    return Math.floor(this.#next() * end);
  }

  /** Whether something that happens once in `times` happens now. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[this.below(from.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  bits64(): bigint {
    return (BigInt(this.#next.int32() >>> 0) << 32n) | BigInt(this.#next.int32() >>> 0);
  }
}
