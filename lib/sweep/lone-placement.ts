/**
 * Where the regions of a module go that is loaded alone, first fit, as the base of the module region passes the image.
 *
 * Far from the image they follow each other from the base. Where the image is in the way, each goes into the hole before it if
 * there is room, else behind it: then it stays put while the base moves. A few patterns cover every base.
 */
import { PlacementError } from '../errors.js';

export interface RegionPosition {
  /** Whether it moves with the base; else it is tied to the image. */
  readonly movesWithBase: boolean;
  /** Distance from the base, or from `_text`. */
  readonly offset: number;
}

/** One pattern and the distances of the base from `_text` for which it holds: `[from, to)`, in whole pages. */
export interface LonePattern {
  readonly from: number;
  readonly to: number;
  readonly regions: readonly RegionPosition[];
}

export interface LoneInput {
  /** Bytes each region takes with its guard page; 0: none. */
  readonly footprints: readonly number[];
  /** What the image takes of vmalloc, from `_text`, in whole pages. */
  readonly area: { readonly start: number; readonly end: number };
  readonly pageSize: number;
  /** Distances that occur: `[lowest, highest]`. */
  readonly lowest: number;
  readonly highest: number;
  /** Size of the region behind the base. */
  readonly size: number;
}

/**
 * The patterns in ascending order of distance; together they cover `[lowest, highest]`.
 * @throws PlacementError REGION_FULL if the module does not fit everywhere
 */
export function lonePatterns(input: LoneInput): LonePattern[] {
  const { footprints, area, lowest, highest, pageSize } = input;
  const patterns: LonePattern[] = [];
  const add = (from: number, to: number, regions: RegionPosition[]): void => {
    const clipped = { from: Math.max(from, lowest), to: Math.min(to, highest + pageSize), regions };
    if (clipped.from >= clipped.to) return;
    requireRoom(clipped, input);
    patterns.push(clipped);
  };
  // Inside the image, too, everything goes behind it: a hole of no size.
  for (let hole = 0; hole < Number.POSITIVE_INFINITY; ) {
    const { regions, nextHole } = fill(footprints, hole, area.end);
    add(area.start + pageSize - nextHole, hole === 0 ? area.end : area.start + pageSize - hole, regions);
    hole = nextHole;
  }
  patterns.reverse();
  add(area.end, Number.POSITIVE_INFINITY, fill(footprints, Number.POSITIVE_INFINITY, area.end).regions);
  return patterns;
}

/** First fit with a hole of so many bytes before the image, and the size from which on it comes out differently. */
function fill(
  footprints: readonly number[],
  hole: number,
  behindImage: number,
): { regions: RegionPosition[]; nextHole: number } {
  let before = 0;
  let behind = behindImage;
  let nextHole = Number.POSITIVE_INFINITY;
  const regions = footprints.map((bytes): RegionPosition => {
    if (before + bytes <= hole) {
      before += bytes;
      return { movesWithBase: true, offset: before - bytes };
    }
    nextHole = Math.min(nextHole, before + bytes);
    behind += bytes;
    return { movesWithBase: false, offset: behind - bytes };
  });
  return { regions, nextHole };
}

function requireRoom({ from, regions }: LonePattern, { footprints, size }: LoneInput): void {
  regions.forEach(({ movesWithBase, offset }, i) => {
    const end = offset + footprints[i]! - (movesWithBase ? 0 : from);
    if (footprints[i]! > 0 && end > size) {
      throw new PlacementError(
        'REGION_FULL',
        `a module that needs ${footprints[i]} bytes does not fit beside the image`,
        {
          size,
          footprint: footprints[i]!,
        },
      );
    }
  });
}
