/**
 * The linear map of memory, with and without the image carved out.
 *
 * The kernel maps every range of memory at `pa - memstart + PAGE_OFFSET`, as large as it may. The alias of its own
 * text and rodata is mapped on its own, because it becomes read-only later: it must not be part of a block or a
 * contiguous group that reaches beyond it. Runs are counted, no table is built: a machine has terabytes.
 *
 * @see Linux 6.12 arch/arm64/mm/mmu.c, map_mem(), mark_linear_text_alias_ro()
 */
import { type Va, va } from '../address.js';
import { MappingError } from '../errors.js';
import { countTables, type LeafRun, mappingUnits, planLeaves } from './leaf-run.js';
import { granularityOf } from './mapper.js';
import type { Permissions } from './mapping-rule.js';
import type { TranslationRegime } from './translation-regime.js';

/** Physical addresses, half-open. */
export interface PhysicalRange {
  readonly start: number;
  readonly end: number;
}

export interface LinearMapRequest {
  readonly regime: TranslationRegime;
  /** Memory, in any order, not overlapping. */
  readonly ranges: readonly PhysicalRange[];
  /** Physical address that PAGE_OFFSET maps (memstart_addr); less than all memory when the seed randomises it. */
  readonly memstart: number;
  readonly pageOffset: Va;
  /** Only pages, no contiguous bit (rodata=full, debug_pagealloc, late KFENCE); holds for all but the image. */
  readonly pagesOnly?: boolean;
  /** `_text` (5.10, 6.12) or `_stext` to `__init_begin`, to be carved out; `contiguous` from 7.x on. */
  readonly image?: PhysicalRange & { readonly contiguous?: boolean };
}

export interface LinearMap {
  /** In rising order. Never executable. */
  readonly runs: readonly (LeafRun & { readonly permissions: Permissions })[];
  /** Entries by size and contiguous bit, largest first. */
  readonly leaves: readonly { readonly size: number; readonly contiguous: boolean; readonly count: number }[];
  readonly tables: { readonly total: number; readonly byLevel: ReadonlyMap<number, number> };
}

/**
 * Plans the linear map.
 * @throws MappingError CONFLICT if two ranges overlap or the image lies in none; BAD_RANGE outside the regime's
 *   addresses; MISALIGNED if a range is not whole pages
 */
export function linearMap(request: LinearMapRequest): LinearMap {
  const { regime, memstart, pageOffset } = request;
  const full = granularityOf('mmu', regime);
  const large = mappingUnits(regime, full);
  const noContiguous = mappingUnits(regime, { ...full, contiguous: [] });
  const pages = mappingUnits(regime, { blocks: [], contiguous: [] });

  const runs = pieces(request).flatMap((piece) => {
    const size = piece.end - piece.start;
    const units = piece.alias ? (request.image?.contiguous ? large : noContiguous) : request.pagesOnly ? pages : large;
    const permissions: Permissions = piece.alias ? 'RO NX' : 'RW NX';
    const range = { va: linearAddress(piece.start, memstart, pageOffset), pa: piece.start, size };
    return planLeaves(regime, range, units).map((run) => ({ ...run, permissions }));
  });
  return { runs, leaves: countLeaves(runs), tables: countTables(regime, runs) };
}

function linearAddress(pa: number, memstart: number, pageOffset: Va): Va {
  const address = pa - memstart + pageOffset;
  if (pa < memstart || address >= 0) {
    throw new MappingError('BAD_RANGE', `physical ${pa} has no place in the linear map from ${memstart}`, {
      pa,
      memstart,
    });
  }
  return va(address);
}

/** Memory in rising order, cut at the ends of the image. */
function pieces({ ranges, image }: LinearMapRequest): (PhysicalRange & { readonly alias: boolean })[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  for (const [i, range] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before !== undefined && before.end > range.start) {
      throw new MappingError('CONFLICT', `two ranges of memory overlap at physical ${range.start}`, {
        pa: range.start,
      });
    }
  }
  if (image === undefined) return sorted.map((range) => ({ ...range, alias: false }));
  const home = sorted.find((range) => range.start <= image.start && image.end <= range.end);
  if (home === undefined || image.start >= image.end) {
    throw new MappingError('CONFLICT', `the image at physical ${image.start} lies in no range of memory`, {
      pa: image.start,
    });
  }
  return sorted.flatMap((range) =>
    range === home
      ? [
          { start: range.start, end: image.start, alias: false },
          { start: image.start, end: image.end, alias: true },
          { start: image.end, end: range.end, alias: false },
        ].filter(({ start, end }) => start < end)
      : [{ ...range, alias: false }],
  );
}

function countLeaves(runs: readonly LeafRun[]): LinearMap['leaves'] {
  const counts = new Map<string, { size: number; contiguous: boolean; count: number }>();
  for (const { entrySize: size, contiguous, count } of runs) {
    const key = `${size} ${contiguous}`;
    counts.set(key, { size, contiguous, count: count + (counts.get(key)?.count ?? 0) });
  }
  return [...counts.values()].sort((a, b) => b.size - a.size || Number(b.contiguous) - Number(a.contiguous));
}
