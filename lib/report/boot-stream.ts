/** Boots drawn from a named random stream: the same name gives the same boots to everyone. */
import seedrandom from 'seedrandom';

export interface DrawnSeeds {
  readonly seed: bigint;
  readonly moduleSeed: bigint;
}

/** Boots by number, from 0. */
export function drawSeeds(stream: string, count: number): DrawnSeeds[] {
  const random = seedrandom(stream);
  const next64 = (): bigint => (BigInt(random.int32() >>> 0) << 32n) | BigInt(random.int32() >>> 0);
  return Array.from({ length: count }, () => ({ seed: next64(), moduleSeed: next64() }));
}
