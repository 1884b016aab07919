/**
 * From a 64-bit seed to the offset of the image: Linux arch/arm64/kernel/kaslr.c up to 5.x,
 * kernel/pi/kaslr_early.c from 6.0.
 */
import { alignDown, alignUp } from '../bits.js';
import type { Era } from './era.js';
import { type Geometry, IMAGE_ALIGN, type VaLayout } from './layout.js';

/** What the offset follows from; addresses and sizes in bytes. */
export interface OffsetInput {
  readonly era: Era;
  readonly geometry: Geometry;
  readonly layout: VaLayout;
  /** Link address of `_text`. */
  readonly linkBase: number;
  /** `_end - _text`. */
  readonly imageSize: number;
  /** Physical address of `_text` relative to its link address, modulo 2 MiB. */
  readonly displacement: number;
  readonly kasan: boolean;
}

/** log2 of what one table of last-level blocks covers early on: 1 GiB, 32 MiB, 512 MiB (SWAPPER_TABLE_SHIFT). */
const SWAPPER_TABLE_SHIFT: Readonly<Record<number, number>> = { 4096: 30, 16384: 25, 65536: 29 };

/** Size of what the early mapping is made of: 2 MiB blocks with 4K pages, else pages (SWAPPER_BLOCK_SIZE). */
function swapperBlockSize(pageSize: number): number {
  return pageSize === 4096 ? IMAGE_ALIGN : pageSize;
}

/** Bytes between the boundaries that an image of the first eras must not straddle. */
export function boundarySize(pageSize: number): number {
  return 2 ** SWAPPER_TABLE_SHIFT[pageSize]!;
}

/** Whether `[start, end)` has addresses on both sides of a boundary. */
export function crossesBoundary(range: { readonly start: number; readonly end: number }, pageSize: number): boolean {
  const size = boundarySize(pageSize);
  return Math.floor(range.start / size) !== Math.floor((range.end - 1) / size);
}

const seedBits = (seed: bigint, count: number): number => Number(BigInt.asUintN(count, seed));

/** Bits 21..VA-3 of the seed: `((1 << (VA - 2)) - 1) & ~(2M - 1)`. */
const maskedSeed = (seed: bigint, vaBits: number): number => alignDown(seedBits(seed, vaBits - 2), IMAGE_ALIGN);

const IMAGE_RULES: Readonly<Record<Era['imageRule'], (seed: bigint, input: OffsetInput) => number>> = {
  'lower-half': (seed, { geometry }) => maskedSeed(seed, geometry.vaBits),
  'middle-half': (seed, { geometry }) => 2 ** (geometry.vaBitsMin - 3) + maskedSeed(seed, geometry.vaBitsMin),
  'scaled-range': (seed, { layout }) => {
    const range = scaledRange(layout);
    return range / 2 + Number((BigInt(range) * seed) >> 64n);
  },
};

/** Bytes over which `scaled-range` spreads the offset: half of what lies above the link address in vmalloc. */
export function scaledRange(layout: VaLayout): number {
  return Math.floor((layout.vmallocEnd - layout.kimageVaddr) / 2);
}

const CROSSING_RULES: Readonly<Record<Era['crossingRule'], (offset: number, input: OffsetInput) => number>> = {
  ignore: (offset) => offset,
  'round-down': (offset, input) =>
    endsInAnotherBlock(offset, input) ? alignDown(offset, boundarySize(input.geometry.pageSize)) : offset,
  'add-image-size': (offset, input) => {
    if (!endsInAnotherBlock(offset, input)) return offset;
    const moved = offset + alignUp(input.imageSize, swapperBlockSize(input.geometry.pageSize));
    return alignDown(moved % 2 ** (input.geometry.vaBits - 2), IMAGE_ALIGN);
  },
};

/** The kernel compares `_text` with `_end` itself, so an image that ends exactly on a boundary moves as well. */
function endsInAnotherBlock(offset: number, { linkBase, imageSize, displacement, geometry }: OffsetInput): boolean {
  const start = linkBase + offset + displacement;
  return crossesBoundary({ start, end: start + imageSize + 1 }, geometry.pageSize);
}

/**
 * The displacement of the image from its link address.
 * @param seed 64 bits, unsigned; 0 is a kernel without KASLR (so is `nokaslr`), which moves by the physical displacement alone
 */
export function imageOffset(seed: bigint, input: OffsetInput): number {
  const { era, displacement, kasan } = input;
  if (seed === 0n) return displacement;
  const chosen = CROSSING_RULES[era.crossingRule](IMAGE_RULES[era.imageRule](seed, input), input);
  const offset = kasan && era.kasanRule === 'offset-within-2g' ? chosen % 2 ** 31 : chosen;
  return era.displacementRule === 'add' ? offset + displacement : alignDown(offset, IMAGE_ALIGN) + displacement;
}
