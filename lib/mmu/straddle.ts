/**
 * What it costs an image to straddle the block of memory that one last-level table of its early mapping covers:
 * 1 GiB, 32 MiB or 512 MiB with 4K, 16K or 64K pages (SWAPPER_TABLE_SHIFT). Kernels before 4.17 moved the image
 * out of the way; later ones reserve a table more for each level.
 *
 * @see Linux 6.1 arch/arm64/include/asm/kernel-pgtable.h, EARLY_ENTRIES()
 */
import { type Va, va } from '../address.js';
import { alignDown, alignUp } from '../bits.js';
import { MappingError } from '../errors.js';
import { IMAGE_LIMIT } from './kernel-mapping.js';
import { countTables, mappingUnits, planLeaves } from './leaf-run.js';
import { granularityOf } from './mapper.js';
import { levelSize, type TranslationRegime } from './translation-regime.js';

export interface Straddle {
  /** Bytes between boundaries. */
  readonly boundary: number;
  /** The boundaries inside the image. */
  readonly crossed: readonly Va[];
  /** Table pages of the early mapping here, and of the same image where it crosses as few boundaries as its size allows. */
  readonly tables: number;
  readonly leastTables: number;
}

/**
 * @param image run addresses of `_text` and `_end`
 * @throws MappingError TOO_LARGE beyond 2 GiB, BAD_RANGE if the regime cannot map it
 */
export function straddle(regime: TranslationRegime, image: { start: Va; end: Va }): Straddle {
  const { blocks, roundTo } = granularityOf('swapper', regime);
  const boundary = levelSize(regime, blocks.length > 0 ? 1 : 2);
  if (image.end - image.start > IMAGE_LIMIT) {
    throw new MappingError('TOO_LARGE', `${image.end - image.start} bytes: no image reaches 2 GiB`, { ...image });
  }
  const crossed: Va[] = [];
  for (let at = alignDown(image.start, boundary) + boundary; at < image.end; at += boundary) crossed.push(va(at));

  const units = mappingUnits(regime, { blocks, contiguous: [] });
  const start = alignDown(image.start, roundTo);
  const size = alignUp(image.end, roundTo) - start;
  const tablesAt = (address: number): number =>
    countTables(regime, planLeaves(regime, { va: va(address), pa: 0, size }, units)).total;
  return { boundary, crossed, tables: tablesAt(start), leastTables: tablesAt(-(2 ** regime.vaBits)) };
}
