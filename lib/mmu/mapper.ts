/**
 * The three pieces of arm64 Linux that make leaf entries of the image, and the granularity each of them uses.
 *
 * @see Linux 6.1 arch/arm64/include/asm/kernel-pgtable.h (SWAPPER_BLOCK_SIZE), mm/mmu.c (alloc_init_pud,
 *   alloc_init_cont_pmd); Linux 6.12 arch/arm64/kernel/pi/map_range.c
 */
import type { Granularity } from './leaf-run.js';
import { levelSize, type TranslationRegime } from './translation-regime.js';

/**
 * `swapper`, head.S: 2 MiB blocks where pages are 4K, rounded outwards, else pages; `mmu`, __create_pgd_mapping():
 * 1 GiB blocks with 4K pages, contiguous blocks; `map-range`, pi/map_range.c: neither.
 */
export type Mapper = 'swapper' | 'mmu' | 'map-range';

export interface MapperGranularity extends Granularity {
  /** Bytes that the ends of a range are rounded outwards to. */
  readonly roundTo: number;
}

export function granularityOf(mapper: Mapper, regime: TranslationRegime): MapperGranularity {
  const page = regime.pageSize;
  if (mapper === 'map-range') return { blocks: [2], contiguous: [3], roundTo: page };
  if (mapper === 'mmu') return { blocks: page === 4096 ? [1, 2] : [2], contiguous: [2, 3], roundTo: page };
  if (page === 4096) return { blocks: [2], contiguous: [], roundTo: levelSize(regime, 2) };
  return { blocks: [], contiguous: [], roundTo: page };
}
