/**
 * A module as a sweep sees it: which branches can need a PLT entry, and nothing else.
 *
 * Rows stand in the order in which the kernel emits entries, the core PLT's before the init PLT's. Branches that follow each
 * other and share destination and region are one row: it needs an entry as soon as the first or the last of them is out of range.
 * A row's displacement is a constant plus how far apart two frames are, so that no byte is ever relocated.
 */
import { alignDown } from '../bits.js';
import { RELA_WORDS, type RelaTable } from '../elf/rela-table.js';
import { ModuleError, RelocationError } from '../errors.js';
import type { SectionRelocations } from '../module/frobbed-section.js';
import type { PreparedModule } from '../module/load.js';
import { isInitRegion } from '../module/loader-rule.js';
import { badSymbol } from '../module/module-relocation.js';
import { isAdrpRelocation } from '../plt/count.js';
import { ADRP_PAGE } from '../plt/entry.js';
import { isForbiddenForAdrp } from '../plt/erratum.js';
import { hasAddend, isBranch } from '../plt/order.js';
import { type Import, NOWHERE, SymbolDestinations } from './branch-destination.js';

/** What a row asks the PLT for. */
export const ENTRY = 0;
/** An entry that nothing else shares: of a branch with an addend, up to 4.11. */
export const LONE_ENTRY = 1;
/** A veneer for an ADRP that erratum 843419 forbids. */
export const VENEER = 2;

/** How far each kind reaches without the PLT: displacements in [-reach, reach). */
export const REACH: readonly number[] = [2 ** 27, 2 ** 27, 2 ** 20];

export interface BranchColumn {
  readonly count: number;
  /** 0: the core PLT, 1: the init PLT. */
  readonly part: Uint8Array;
  readonly kind: Uint8Array;
  /** The region the branches are in, by its place in the order of allocation. */
  readonly region: Uint8Array;
  /** Offsets of the first and last branch in the region. */
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  /** What the destination moves with: NOWHERE, IMAGE, a region of the module, or FIRST_IMPORT and up. */
  readonly frame: Int32Array;
  readonly offset: Float64Array;
  /** The symbol, which decides about sharing up to 4.11. */
  readonly symbol: Uint32Array;
  readonly imports: readonly Import[];
}

interface Row {
  readonly part: number;
  readonly kind: number;
  readonly region: number;
  first: number;
  last: number;
  readonly frame: number;
  readonly offset: number;
  readonly symbol: number;
}

/**
 * The rows of a prepared module.
 * @param kernelExport the offset from `_text` of an export of the kernel
 * @throws RelocationError BAD_SYMBOL, BAD_PLACE; UNKNOWN_TYPE for an ADRP with the erratum on a kernel that refuses them
 */
export function branchColumn(
  prepared: PreparedModule,
  kernelExport: (name: string) => number | undefined,
): BranchColumn {
  const destinations = new SymbolDestinations(prepared, kernelExport);
  const parts: [Row[], Row[]] = [[], []];
  for (const relocations of prepared.frobbed.relocations) collect(prepared, relocations, { destinations, parts });
  if (prepared.environment.rule.plt.reuse === 'symbol') {
    // One entry a symbol, whatever comes between: neighbours count once, so they are made neighbours.
    for (const rows of parts) rows.sort((a, b) => a.symbol - b.symbol || a.kind - b.kind);
  }
  const rows = parts.flat();
  return {
    count: rows.length,
    part: Uint8Array.from(rows, (row) => row.part),
    kind: Uint8Array.from(rows, (row) => row.kind),
    region: Uint8Array.from(rows, (row) => row.region),
    first: Uint32Array.from(rows, (row) => row.first),
    last: Uint32Array.from(rows, (row) => row.last),
    frame: Int32Array.from(rows, (row) => row.frame),
    offset: Float64Array.from(rows, (row) => row.offset),
    symbol: Uint32Array.from(rows, (row) => row.symbol),
    imports: destinations.imports,
  };
}

interface Collection {
  readonly destinations: SymbolDestinations;
  readonly parts: readonly [Row[], Row[]];
}

function collect(
  { file, frobbed, layout, environment }: PreparedModule,
  { target, relas }: SectionRelocations,
  { destinations, parts }: Collection,
): void {
  const place = layout.places.get(target);
  if (!place) return;
  const { rule, erratum843419 } = environment;
  const { sh_size, section } = frobbed.sections[target]!;
  const region = rule.scheme.regions.indexOf(place.region);
  const part = isInitRegion(place.region) && rule.plt.initSection ? 1 : 0;
  const rows = parts[part];
  for (let i = 0; i < relas.count; i++) {
    const type = relas.type(i);
    const isAdrp = erratum843419 && isAdrpRelocation(type);
    if (!isAdrp && !isBranch(type)) continue;
    if (isAdrp && !rule.plt.veneers) throw refusedAdrp(section.name, type);
    const at = relas.offset(i);
    if (at + 4 > sh_size) throw badPlace(section.name, at);
    if (isAdrp && !isForbiddenForAdrp(place.offset + at)) continue;
    const symbol = relas.symbol(i);
    if (symbol >= file.symbols.count) throw badSymbol(section.name, i, symbol);

    const addend = addendOf(relas, i);
    const isFar = addend === undefined;
    const frame = isFar ? NOWHERE : destinations.frame(symbol);
    const exact = destinations.offset(symbol) + (addend ?? Number(BigInt.asIntN(53, relas.addend(i))));
    const kind = isAdrp ? VENEER : rule.plt.reuse === 'symbol' && hasAddend(relas, i) ? LONE_ENTRY : ENTRY;
    const offset = isAdrp ? alignDown(exact, ADRP_PAGE) : exact;
    const first = place.offset + at;
    // Inside one region nothing ever moves: most branches with an addend end here.
    if (frame === region && isInReach(offset - first, kind)) continue;
    const previous = rows.at(-1);
    if (
      kind === ENTRY &&
      previous?.kind === ENTRY &&
      previous.frame === frame &&
      previous.offset === offset &&
      previous.region === region &&
      (rule.plt.reuse === 'previous' || previous.symbol === symbol)
    ) {
      if (first < previous.first) previous.first = first;
      else if (first > previous.last) previous.last = first;
    } else rows.push({ part, kind, region, first, last: first, frame, offset, symbol });
  }
}

function isInReach(displacement: number, kind: number): boolean {
  return displacement >= -REACH[kind]! && displacement < REACH[kind]!;
}

/** Undefined for an addend of more than 52 bits: it leads nowhere. */
function addendOf({ words }: RelaTable, index: number): number | undefined {
  const high = words[index * RELA_WORDS + 5]!;
  if (high >= 2 ** 20 || high < -(2 ** 20)) return undefined;
  return high * 2 ** 32 + (words[index * RELA_WORDS + 4]! >>> 0);
}

function badPlace(section: string, offset: number): RelocationError {
  return new RelocationError('BAD_PLACE', `(${section}+0x${offset.toString(16)}): the place is outside the section`, {
    section,
    offset,
  });
}

function refusedAdrp(section: string, type: number): RelocationError {
  return new RelocationError(
    'UNKNOWN_TYPE',
    `(${section}): kernels of this age with the workaround refuse every ADRP`,
    {
      section,
      type,
    },
  );
}

/** A module whose footprint is larger than this is none: amdgpu, the largest, takes 25 MB. */
export const FOOTPRINT_LIMIT = 2 ** 28;

/**
 * Bytes that each region takes in the module area, its guard page included; 0: not allocated.
 * @throws ModuleError BAD_LAYOUT for more than FOOTPRINT_LIMIT
 */
export function footprintsOf({ layout, environment, file }: PreparedModule): number[] {
  const { pageSize } = environment;
  const footprints = Array.from(layout.sizes.values(), (size) =>
    size === 0 ? 0 : Math.ceil(size / pageSize) * pageSize + pageSize,
  );
  if (footprints.reduce((sum, bytes) => sum + bytes, 0) > FOOTPRINT_LIMIT)
    throw new ModuleError('BAD_LAYOUT', `${file.name} needs more than ${FOOTPRINT_LIMIT} bytes`);
  return footprints;
}
