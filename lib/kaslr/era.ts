/**
 * The eras of arm64 KASLR: which rules a kernel version follows, as data.
 *
 * A rule is named here and implemented once: image offsets in image-offset.ts, module regions in
 * module-region.ts, the address space in layout.ts. To add an era, add a row, and a rule if none fits.
 */
import { PlacementError } from '../errors.js';

export type EraKey = '4.6' | '4.12' | '4.17' | '5.4' | '6.0' | '6.5' | '6.9' | '6.16';

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

export interface Era {
  readonly key: EraKey;
  /** The first version that follows these rules; they hold until the next row's. */
  readonly since: KernelVersion;
  /** How a seed becomes the image's offset. */
  readonly imageRule: 'lower-half' | 'middle-half' | 'scaled-range';
  /** What is done when the image would straddle the block a last-level table covers. */
  readonly crossingRule: 'add-image-size' | 'round-down' | 'ignore';
  /** Whether the physical displacement below 2 MiB is added to the offset or replaces its low 21 bits. */
  readonly displacementRule: 'add' | 'replace';
  /** Where modules go: a base chosen by 21 random bits, or nested random boxes around the image. */
  readonly moduleRule: 'whole-vmalloc' | 'window' | 'boxes';
  /** Size in bytes of the window around the image for `moduleRule` window with RANDOMIZE_MODULE_REGION_FULL. */
  readonly moduleWindow: number;
  /** Whether the module region follows from the image's own seed. */
  readonly moduleSeed: 'image' | 'independent';
  /** What CONFIG_KASAN changes: modules stay where they were linked to go; the offset is cut to 2 GiB as well. */
  readonly kasanRule: 'linked-modules' | 'offset-within-2g' | 'none';
  readonly layoutRule: 'low-half' | 'flipped' | 'modules-first' | 'wide-modules' | 'actual-vmemmap';
  /** Bits of the seed that randomise the linear map: the lowest one and their count; absent where none do. */
  readonly linearMapSeed?: { readonly lsb: number; readonly length: number };
}

const GIB = 2 ** 30;

const since46: Era = {
  key: '4.6',
  since: { major: 4, minor: 6 },
  imageRule: 'lower-half',
  crossingRule: 'add-image-size',
  displacementRule: 'add',
  moduleRule: 'whole-vmalloc',
  moduleWindow: 0,
  moduleSeed: 'image',
  kasanRule: 'linked-modules',
  layoutRule: 'low-half',
  linearMapSeed: { lsb: 48, length: 16 },
};
const since412: Era = { ...since46, key: '4.12', since: { major: 4, minor: 12 }, crossingRule: 'round-down' };
const since417: Era = {
  ...since412,
  key: '4.17',
  since: { major: 4, minor: 17 },
  imageRule: 'middle-half',
  crossingRule: 'ignore',
  moduleRule: 'window',
  moduleWindow: 4 * GIB,
  kasanRule: 'offset-within-2g',
};
const since54: Era = {
  ...since417,
  key: '5.4',
  since: { major: 5, minor: 4 },
  moduleWindow: 2 * GIB,
  layoutRule: 'flipped',
};
const since60: Era = {
  ...since54,
  key: '6.0',
  since: { major: 6, minor: 0 },
  displacementRule: 'replace',
  moduleSeed: 'independent',
  kasanRule: 'none',
  layoutRule: 'modules-first',
  linearMapSeed: { lsb: 0, length: 16 },
};
const since65: Era = {
  ...since60,
  key: '6.5',
  since: { major: 6, minor: 5 },
  moduleRule: 'boxes',
  layoutRule: 'wide-modules',
};
const since69: Era = {
  ...since65,
  key: '6.9',
  since: { major: 6, minor: 9 },
  imageRule: 'scaled-range',
  layoutRule: 'actual-vmemmap',
};
const { linearMapSeed: _removed, ...withoutLinearMap } = since69;
const since616: Era = { ...withoutLinearMap, key: '6.16', since: { major: 6, minor: 16 } };

/** All eras, oldest first. */
export const ERAS: readonly Era[] = [since46, since412, since417, since54, since60, since65, since69, since616];

/** @throws PlacementError UNKNOWN_ERA, naming the eras there are */
export function eraByKey(key: string): Era {
  const era = ERAS.find((row) => row.key === key);
  if (!era) {
    throw new PlacementError(
      'UNKNOWN_ERA',
      `unknown era '${key}'; the eras are ${ERAS.map((row) => row.key).join(', ')}`,
    );
  }
  return era;
}

function isBefore(a: KernelVersion, b: KernelVersion): boolean {
  return a.major < b.major || (a.major === b.major && a.minor < b.minor);
}

/**
 * The era of a kernel version. Versions after the newest row follow it until a kernel shows otherwise; between
 * 4.17 and 5.3 the module window shrank from 4 to 2 GiB (at 5.3) without any other change, so it is no era of its own.
 * @throws PlacementError UNKNOWN_ERA for versions before 4.6, which had no KASLR on arm64
 */
export function eraOfVersion(version: KernelVersion): Era {
  const era = ERAS.findLast((row) => !isBefore(version, row.since));
  if (!era) {
    throw new PlacementError(
      'UNKNOWN_ERA',
      `arm64 kernels before 4.6 have no KASLR (this is ${version.major}.${version.minor})`,
    );
  }
  const narrowed = era.key === '4.17' && !isBefore(version, { major: 5, minor: 3 });
  return narrowed ? { ...era, moduleWindow: 2 * GIB } : era;
}
