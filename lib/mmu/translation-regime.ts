/**
 * The geometry of VMSAv8-64 stage 1 translation: granule, levels, what an entry of each level spans.
 *
 * Implements the Arm ARM's D8.2 as arithmetic on page size and VA bits alone; what an entry *holds* is
 * descriptor.ts. Kernel addresses only (TTBR1_EL1): the top 2^vaBits bytes of the address space.
 */
import { formatVa, type Va } from '../address.js';
import { MappingError } from '../errors.js';

export type PageSize = 4096 | 16384 | 65536;

/**
 * How a descriptor holds its output address: up to 48 bits, 52 bits of the 64K granule (FEAT_LPA), or 52 bits of
 * the 4K and 16K granules (FEAT_LPA2, TCR_ELx.DS), where they take the place of the shareability field.
 */
export type DescriptorFormat = '48-bit' | '52-bit' | 'lpa2';

export interface TranslationRegime {
  readonly pageSize: PageSize;
  readonly vaBits: number;
  readonly format: DescriptorFormat;
  /** Address bits resolved by the last level's page and by one full table. */
  readonly pageShift: number;
  readonly indexBits: number;
  /** Level of the root table: -1 with 52 bits and 4K pages, 2 with 36 bits and 16K pages. */
  readonly startLevel: number;
}

const FORMATS: Record<PageSize, readonly DescriptorFormat[]> = {
  4096: ['48-bit', 'lpa2'],
  16384: ['48-bit', 'lpa2'],
  65536: ['48-bit', '52-bit'],
};

/** Entries that one contiguous group takes, per granule and level (D8.6.1); the ones Linux makes use of. */
const CONTIGUOUS_ENTRIES: Record<PageSize, Readonly<Record<number, number>>> = {
  4096: { 2: 16, 3: 16 },
  16384: { 2: 32, 3: 128 },
  65536: { 2: 32, 3: 32 },
};

const LEVEL_NAMES: readonly string[] = ['P4D', 'PUD', 'PMD', 'PTE'];

const VA_BITS_LEAST = 36;
const VA_BITS_MOST = 52;

/**
 * A checked regime with its derived numbers.
 * @param request vaBits 36..52; without `format`, 52-bit addresses are used where vaBits needs them
 * @throws MappingError BAD_REGIME if the granule, the VA bits and the format do not go together.
 * @see Linux 6.12 arch/arm64/include/asm/pgtable-hwdef.h, ARM64_HW_PGTABLE_LEVELS()
 */
export function translationRegime(request: {
  pageSize: number;
  vaBits: number;
  format?: DescriptorFormat;
}): TranslationRegime {
  const { pageSize, vaBits } = request;
  if (!isPageSize(pageSize)) throw new MappingError('BAD_REGIME', `no granule of ${pageSize} bytes`, { pageSize });
  if (!Number.isInteger(vaBits) || vaBits < VA_BITS_LEAST || vaBits > VA_BITS_MOST) {
    throw new MappingError('BAD_REGIME', `${vaBits} VA bits are not in [36, 52]`, { vaBits });
  }
  const wide: DescriptorFormat = pageSize === 65536 ? '52-bit' : 'lpa2';
  const format = request.format ?? (vaBits > 48 ? wide : '48-bit');
  // The 64K granule reaches 52 VA bits (FEAT_LVA) whatever its output addresses are; the others need LPA2.
  if (!FORMATS[pageSize].includes(format) || (vaBits > 48 && pageSize !== 65536 && format !== 'lpa2')) {
    throw new MappingError(
      'BAD_REGIME',
      `${format} descriptors do not go with ${pageSize}-byte pages, ${vaBits} VA bits`,
      {
        pageSize,
        vaBits,
        format,
      },
    );
  }
  const pageShift = Math.log2(pageSize);
  const indexBits = pageShift - 3;
  return {
    pageSize,
    vaBits,
    format,
    pageShift,
    indexBits,
    startLevel: 4 - Math.ceil((vaBits - pageShift) / indexBits),
  };
}

function isPageSize(x: number): x is PageSize {
  return x in FORMATS;
}

/** Linux's name for tables of a level: the root is the PGD, whatever its level. */
export function levelName(regime: Pick<TranslationRegime, 'startLevel'>, level: number): string {
  return level === regime.startLevel ? 'PGD' : LEVEL_NAMES[level]!;
}

/** Bytes that one entry of a table at `level` spans. */
export function levelSize(regime: TranslationRegime, level: number): number {
  return 2 ** (regime.pageShift + regime.indexBits * (3 - level));
}

/** Entries of a table at `level`; a root table may have fewer than a page of them. */
export function tableEntries(regime: TranslationRegime, level: number): number {
  return level === regime.startLevel ? 2 ** regime.vaBits / levelSize(regime, level) : 2 ** regime.indexBits;
}

/** Index of the entry for `address` in the table at `level` that covers it. */
export function tableIndex(regime: TranslationRegime, level: number, address: Va): number {
  const entries = tableEntries(regime, level);
  return ((Math.floor(address / levelSize(regime, level)) % entries) + entries) % entries;
}

/** Entries of one contiguous group at `level`, 0 where there is none. */
export function contiguousEntries(regime: TranslationRegime, level: number): number {
  return CONTIGUOUS_ENTRIES[regime.pageSize][level] ?? 0;
}

/** Bits of a physical address that the regime's descriptors can hold. */
export function outputBits(regime: Pick<TranslationRegime, 'format'>): number {
  return regime.format === '48-bit' ? 48 : 52;
}

/**
 * Checks that `[va, va + size)` and `[pa, pa + size)` are whole pages which the regime can map.
 * @throws MappingError BAD_RANGE outside the top 2^vaBits bytes or the output size, or empty; MISALIGNED
 */
export function checkMappable(regime: TranslationRegime, range: { va: Va; pa: number; size: number }): void {
  const { va, pa, size } = range;
  const where = { va: formatVa(va), pa, size };
  const limit = 2 ** outputBits(regime);
  if (!(size > 0) || va < -(2 ** regime.vaBits) || va + size > 0 || !(pa >= 0 && pa + size <= limit)) {
    throw new MappingError('BAD_RANGE', `cannot map ${size} bytes at ${formatVa(va)} to physical ${pa}`, where);
  }
  if (va % regime.pageSize !== 0 || pa % regime.pageSize !== 0 || size % regime.pageSize !== 0) {
    throw new MappingError('MISALIGNED', `${size} bytes at ${formatVa(va)} to physical ${pa}: not whole pages`, where);
  }
}
