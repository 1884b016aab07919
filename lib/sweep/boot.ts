/** Random boots by name: the same name draws the same boots for everyone, in every era, however many are asked for. */
import seedrandom from 'seedrandom';
import type { Era } from '../kaslr/era.js';

export interface Boot {
  /** What /chosen/kaslr-seed holds; never 0, which turns KASLR off. */
  readonly seed: bigint;
  /** The module region's own random value, where the seed does not fix it. */
  readonly moduleSeed: bigint;
}

/** The boots of a named stream, without end. */
export function* drawBoots(name: string): Generator<Boot, never> {
  const random = seedrandom(name);
  const draw = (): bigint => (BigInt(random.int32() >>> 0) << 32n) | BigInt(random.int32() >>> 0);
  for (;;) {
    const boot = { seed: draw(), moduleSeed: draw() };
    if (boot.seed !== 0n) yield boot;
  }
}

/** What draws the module region of a boot: the image's own seed in eras that share it. */
export function regionRandom(era: Era, { seed, moduleSeed }: Boot): bigint {
  return era.moduleSeed === 'image' ? seed : moduleSeed;
}
