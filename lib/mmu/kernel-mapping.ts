/**
 * The mapping of a kernel's image at one stage of its boot: segments, real tables and their leaves.
 *
 * The final mapping is made as the kernel makes it: as while booting, then rodata made read-only and init memory
 * unmapped in place, so that the tables which stay behind empty are there too.
 */
import { formatVa } from '../address.js';
import { alignUp } from '../bits.js';
import { MappingError } from '../errors.js';
import type { Boundaries } from './boundary.js';
import { granularityOf } from './mapper.js';
import { type MappingRule, mappingRule, type Permissions, type Stage } from './mapping-rule.js';
import { changeLeaves, type EntryAttributes, type PopulationObserver } from './population.js';
import { kernelSegments, leafAttributes, type ProcessorFeatures, type Segment } from './segment.js';
import { type MappedSegment, mapSegments } from './segment-population.js';
import { TableSet } from './table-set.js';
import type { TranslationRegime } from './translation-regime.js';
import { type Leaf, walkLeaves } from './walker.js';

export interface KernelMappingRequest {
  /** `6.12.107`, or an era's key. */
  readonly version: string;
  readonly stage: Stage;
  readonly regime: TranslationRegime;
  /** As `inferBoundaries` completes them. */
  readonly boundaries: Boundaries;
  /** Physical address of `_text`. */
  readonly phys: number;
  readonly features?: ProcessorFeatures;
  /** Physical address for the tables; behind the image unless given. */
  readonly root?: number;
  readonly observer?: PopulationObserver;
}

export interface KernelMapping {
  readonly rule: MappingRule;
  readonly segments: readonly Segment[];
  readonly tables: TableSet;
  /** Every entry that maps the image, in rising order, as a walk of the tables finds it. */
  readonly leaves: readonly Leaf[];
}

/** The image lies at the same offset in a 2 MiB block of virtual and of physical memory. */
const IMAGE_ALIGN = 2 ** 21;

/** What an image's own PC-relative references span; none is larger. */
export const IMAGE_LIMIT = 2 ** 31;

/**
 * Maps a kernel's image as the kernel does.
 * @param request `boundaries` at run addresses; nothing is known of other mappings (fixmap, linear map)
 * @throws MappingError UNKNOWN_ERA, MISSING_SYMBOL, BAD_RANGE, TOO_LARGE; MISALIGNED if `_text` and `phys` differ modulo 2 MiB;
 *   CONFLICT if two segments share an entry
 */
export function mapKernel(request: KernelMappingRequest): KernelMapping {
  const { regime, boundaries, stage, phys } = request;
  const rule = mappingRule(request.version);
  const { mapper, tableAttributes } = rule[stage];
  const segments = kernelSegments(rule, stage, boundaries);
  const { _text: text, _end: end } = boundaries;
  if (text === undefined || end === undefined) {
    const symbol = text === undefined ? '_text' : '_end';
    throw new MappingError('MISSING_SYMBOL', `${symbol} is no symbol and cannot be inferred`, { symbol });
  }
  if (end - text > IMAGE_LIMIT) {
    throw new MappingError('TOO_LARGE', `an image of ${end - text} bytes: none reaches 2 GiB`, { size: end - text });
  }
  if ((text - phys) % IMAGE_ALIGN !== 0) {
    throw new MappingError('MISALIGNED', `_text at ${formatVa(text)} and physical ${phys} differ modulo 2 MiB`, {
      text: formatVa(text),
      phys,
    });
  }

  const context = { rule, mapper, format: regime.format, features: request.features ?? {} };
  const entryAttributes = (permissions: Permissions): EntryAttributes | undefined =>
    permissions === 'unmapped' ? undefined : { leaf: leafAttributes(permissions, context), table: tableAttributes };
  const mapped = segments.flatMap((segment): MappedSegment[] => {
    const { name, start, end: limit } = segment;
    const { permissions, contiguous } = segment.boot ?? segment;
    const attributes = entryAttributes(permissions);
    if (attributes === undefined) return [];
    return [{ name, start, end: limit, pa: phys + (start - text), contiguous, attributes }];
  });
  const root = request.root ?? alignUp(phys + (end - text), regime.pageSize);
  const tables = new TableSet({ regime, root });
  mapSegments(tables, mapped, granularityOf(mapper, regime), request.observer);
  for (const segment of segments) {
    if (segment.boot !== undefined) changeLeaves(tables, segment, entryAttributes(segment.permissions)?.leaf);
  }
  return { rule, segments, tables, leaves: [...walkLeaves(tables, { start: text, end })] };
}
