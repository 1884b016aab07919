/**
 * From the offset of an image back to the seeds that put it there: the inverse of kaslr/image-offset.ts.
 *
 * A rule that masks the seed leaves a set of values under that mask (several or none in the first eras, where an image
 * that would straddle a boundary is moved); the rule that scales it leaves one interval. No rule is written a second time:
 * what might lead there is tried with `imageOffset` itself.
 */
import { alignDown, alignUp } from '../bits.js';
import type { Era } from '../kaslr/era.js';
import { boundarySize, imageOffset, type OffsetInput, scaledRange } from '../kaslr/image-offset.js';
import { IMAGE_ALIGN } from '../kaslr/layout.js';

/** Seeds from 1 on: the seed 0 switches KASLR off. */
export type SeedSet =
  | { readonly kind: 'masked'; readonly mask: bigint; readonly values: readonly bigint[] }
  | { readonly kind: 'interval'; readonly lowest: bigint; readonly highest: bigint };

const SEED_BITS = 64n;
const ALL_BITS = (1n << SEED_BITS) - 1n;
const TWO_GIB = 2 ** 31;

/** Offsets, without the displacement, that seeds of the era lead to: `[start, end)`, multiples of 2 MiB. */
export function offsetRange({ era, geometry, layout, kasan }: OffsetInput): { start: number; end: number } {
  if (kasan && era.kasanRule === 'offset-within-2g') return { start: 0, end: TWO_GIB };
  if (era.imageRule === 'lower-half') return { start: 0, end: 2 ** (geometry.vaBits - 2) };
  if (era.imageRule === 'middle-half')
    return { start: 2 ** (geometry.vaBitsMin - 3), end: 3 * 2 ** (geometry.vaBitsMin - 3) };
  const range = scaledRange(layout);
  return { start: alignDown(range / 2, IMAGE_ALIGN), end: alignUp(range / 2 + range, IMAGE_ALIGN) };
}

/**
 * The seeds that put an image at `offset` from its link address.
 * @param input as `imageOffset` takes it; its displacement is the one at which `offset` was seen
 * @returns undefined if no seed does
 */
export function seedsOf(offset: number, input: OffsetInput): SeedSet | undefined {
  const chosen = offset - input.displacement;
  const { start, end } = offsetRange(input);
  if (chosen % IMAGE_ALIGN !== 0 || chosen < start || chosen >= end) return undefined;
  if (input.era.imageRule === 'scaled-range') return interval(chosen, scaledRange(input.layout));
  const size = end - start;
  const mask = BigInt(size - IMAGE_ALIGN);
  const masked = CANDIDATES[input.era.crossingRule](chosen, input).map((from) => BigInt(from - start) & mask);
  // Bit 0 is below every mask and tells a value of 0 from the seed 0.
  const values = [...new Set(masked)].filter((value) => imageOffset(value | 1n, input) === offset);
  return values.length > 0 ? { kind: 'masked', mask, values } : undefined;
}

/** What the offset may have been before it was moved off a boundary; too many do no harm. */
const CANDIDATES: Readonly<Record<Era['crossingRule'], (chosen: number, input: OffsetInput) => number[]>> = {
  ignore: (chosen) => [chosen],
  // The size is added rounded to 2 MiB with 4K pages and to a page otherwise, and the sum is then cut to 2 MiB.
  'add-image-size': (chosen, { imageSize }) => [
    chosen,
    chosen - alignDown(imageSize, IMAGE_ALIGN),
    chosen - alignUp(imageSize, IMAGE_ALIGN),
  ],
  'round-down': (chosen, { geometry }) =>
    Array.from({ length: boundarySize(geometry.pageSize) / IMAGE_ALIGN }, (_, slot) => chosen + slot * IMAGE_ALIGN),
};

/** Seeds S with `floor(range * S / 2^64)` in `[low, low + 2M)`, cut to `[0, range)`. */
function interval(chosen: number, range: number): SeedSet {
  const least = (scaled: number): bigint => ceilDivide(BigInt(scaled) << SEED_BITS, BigInt(range));
  const low = Math.max(chosen - range / 2, 0);
  const high = Math.min(chosen - range / 2 + IMAGE_ALIGN, range);
  const lowest = least(low);
  return { kind: 'interval', lowest: lowest === 0n ? 1n : lowest, highest: least(high) - 1n };
}

const ceilDivide = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

export function containsSeed(set: SeedSet, seed: bigint): boolean {
  if (seed === 0n) return false;
  if (set.kind === 'interval') return seed >= set.lowest && seed <= set.highest;
  return set.values.includes(seed & set.mask);
}

/** What a set of seeds has in common. */
export interface SeedSummary {
  /** Mask of the bits that are the same in all of them, `example` having their values; and of the others. */
  readonly fixedBits: bigint;
  readonly freeBits: bigint;
  /** How many there are. */
  readonly count: bigint;
  readonly lowest: bigint;
  readonly highest: bigint;
  readonly example: bigint;
}

export function summarizeSeeds(set: SeedSet): SeedSummary {
  return set.kind === 'interval' ? summarizeInterval(set.lowest, set.highest) : summarizeMasked(set.mask, set.values);
}

/** The leading bits that both ends share; the bits below take both values, though not in every combination. */
function summarizeInterval(lowest: bigint, highest: bigint): SeedSummary {
  const freeBits = (1n << BigInt(bitLength(lowest ^ highest))) - 1n;
  const count = highest - lowest + 1n;
  // The middle, so that an example stays right however one rounds.
  return { fixedBits: ALL_BITS & ~freeBits, freeBits, count, lowest, highest, example: lowest + count / 2n };
}

function summarizeMasked(mask: bigint, values: readonly bigint[]): SeedSummary {
  const first = values[0]!;
  const fixedBits = values.reduce((fixed, value) => fixed & ~(value ^ first), mask);
  const sorted = [...values].sort((a, b) => (a < b ? -1 : 1));
  const freePerValue = ALL_BITS & ~mask;
  const withZero = values.includes(0n);
  return {
    fixedBits,
    freeBits: ALL_BITS & ~fixedBits,
    count: (BigInt(values.length) << BigInt(bitCount(freePerValue))) - (withZero ? 1n : 0n),
    lowest: sorted[0] === 0n ? 1n : sorted[0]!,
    highest: sorted.at(-1)! | freePerValue,
    example: first === 0n ? 1n : first,
  };
}

const bitLength = (x: bigint): number => (x === 0n ? 0 : x.toString(2).length);
const bitCount = (x: bigint): number => x.toString(2).replaceAll('0', '').length;
