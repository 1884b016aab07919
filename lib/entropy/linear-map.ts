/**
 * How many places the linear map may begin at: 16 bits of the seed, spread over what its part of the address space exceeds
 * memory by (Linux 6.1 arch/arm64/mm/init.c, arm64_memblock_init()). Removed in 6.16.
 */
import type { Era } from '../kaslr/era.js';
import type { Geometry, VaLayout } from '../kaslr/layout.js';
import { type Histogram, HistogramBuilder } from './histogram.js';

const GIB = 2 ** 30;

/**
 * ARM64_MEMSTART_ALIGN, by which the map moves: 1 GiB, but 512 MiB with 64K pages since memory sections shrank (5.12;
 * the 5.4 era begins before that and is taken at its first value).
 */
function memstartAlign(era: Era, pageSize: number): number {
  const smallSections = era.displacementRule === 'replace';
  return pageSize === 65536 && smallSections ? GIB / 2 : GIB;
}

export interface LinearInput {
  readonly era: Era;
  readonly geometry: Geometry;
  readonly layout: VaLayout;
  /** Bytes from the start of memory to its end; from 5.11 what the CPU's physical address bits span. */
  readonly memorySpan: number;
}

/** Cases are values of the seed's 16 bits; one outcome where there is too little room to move. */
export function linearHistogram({ era, geometry, layout, memorySpan }: LinearInput): Histogram {
  const seedBits = era.linearMapSeed?.length ?? 0;
  const align = memstartAlign(era, geometry.pageSize);
  const room = Math.max(0, Math.floor((layout.pageEnd - layout.pageOffset - memorySpan) / align));
  return spreadOver(room, seedBits);
}

/** `floor(room * s / 2^bits)` for every s. */
export function spreadOver(room: number, bits: number): Histogram {
  const values = 2 ** bits;
  if (room >= values) return [{ cases: 1n, outcomes: BigInt(values) }];
  if (room === 0) return [{ cases: BigInt(values), outcomes: 1n }];
  const least = Math.floor(values / room);
  const more = values % room;
  return new HistogramBuilder()
    .add(BigInt(least + 1), BigInt(more))
    .add(BigInt(least), BigInt(room - more))
    .build();
}
