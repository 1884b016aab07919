/**
 * The kernel behind a log: as far as the log alone tells, where no kernel file is at hand, and whether a kernel file is the
 * one the log is of, where it is.
 */
import { formatU64, formatVa, toU64, type Va, va } from '../address.js';
import { PlacementError } from '../errors.js';
import type { Era, KernelVersion } from '../kaslr/era.js';
import { type Geometry, geometryOf, vaBitsMinOf, vaLayout } from '../kaslr/layout.js';
import type { Machine } from '../kaslr/place.js';
import type { BootRecord } from './boot-record.js';

/** TEXT_OFFSET of kernels before 5.8: `_text` is linked that far above KIMAGE_VADDR, and offsets count from there. */
const OLD_TEXT_OFFSET = 0x80000;
const FIRST_WITHOUT_TEXT_OFFSET: KernelVersion = { major: 5, minor: 8 };
const USUAL_PAGE_SIZE = 4096;
/** Configurations whose kernels also run on CPUs with fewer VA bits. */
const WIDE_VA_BITS = 52;

export interface RecordOptions {
  readonly era: Era;
  /** Where the record does not say: page size (default 4096), CONFIG_ARM64_VA_BITS, `_end - _text` (default 0). */
  readonly pageSize?: number | undefined;
  readonly vaBits?: number | undefined;
  readonly imageSize?: number | undefined;
}

/** A kernel on the CPUs it may run on: the one given, or one with VA_BITS_MIN and one with VA_BITS. */
export function possibleGeometries(kernel: { pageSize: number; vaBits: number }, cpuVaBits?: number): Geometry[] {
  if (cpuVaBits !== undefined) return [geometryOf(kernel, cpuVaBits)];
  const least = geometryOf(kernel);
  return least.vaBits > least.vaBitsMin ? [least, geometryOf(kernel, kernel.vaBits)] : [least];
}

/**
 * The machine that a record tells of. VA_BITS=52 looks like VA_BITS_MIN in a log, so both are possible unless vmcoreinfo says.
 * @throws PlacementError MISSING_INPUT if neither record nor options give VA bits, BAD_LAYOUT if no arm64 kernel is linked there
 */
export function machineOfRecord(
  record: BootRecord,
  options: RecordOptions,
): { machine: Machine; geometries: Geometry[] } {
  const { era } = options;
  const pageSize = record.pageSize ?? options.pageSize ?? USUAL_PAGE_SIZE;
  const stated = options.vaBits ?? record.vaBits;
  const geometries =
    stated === undefined
      ? geometriesOfBase(record, { era, pageSize })
      : possibleGeometries({ pageSize, vaBits: stated }, options.vaBits ?? record.vaBitsActual);
  const kimageVaddr = record.kimageVaddr ?? vaLayout(era, geometries[0]!).kimageVaddr;
  // An era alone leaves 5.4 to 5.19 open: most kernels of it in use are 5.10 or 5.15.
  const hasTextOffset = record.version
    ? isBefore(record.version, FIRST_WITHOUT_TEXT_OFFSET)
    : era.layoutRule === 'low-half';
  const linkBase = va(kimageVaddr + (hasTextOffset ? OLD_TEXT_OFFSET : 0));
  return {
    machine: { era, geometry: geometries[0]!, imageSize: options.imageSize ?? 0, linkBase },
    geometries,
  };
}

/** The image is linked right above the start of its half (before 5.4, of all) of the space of VA_BITS_MIN. */
function geometriesOfBase({ kimageVaddr }: BootRecord, kernel: { era: Era; pageSize: number }): Geometry[] {
  if (kimageVaddr === undefined) {
    throw new PlacementError('MISSING_INPUT', 'the log does not say where the kernel was linked: give a kernel file');
  }
  const { era, pageSize } = kernel;
  const vaBits = Math.ceil(Math.log2(-kimageVaddr)) + (era.layoutRule === 'low-half' ? 0 : 1);
  const known = possibleGeometries({ pageSize, vaBits });
  // 52 bits came with 64K pages (LVA) at 5.4 and with the others (LPA2) at 6.9.
  const hasWide = pageSize === 65536 ? era.layoutRule !== 'low-half' : era.layoutRule === 'actual-vmemmap';
  const mayBeWide = hasWide && vaBitsMinOf(pageSize, WIDE_VA_BITS) === vaBits;
  return mayBeWide ? [...known, ...possibleGeometries({ pageSize, vaBits: WIDE_VA_BITS })] : known;
}

const isBefore = (a: KernelVersion, b: KernelVersion): boolean =>
  a.major < b.major || (a.major === b.major && a.minor < b.minor);

/** A kernel file, as a record may name it; addresses as linked. */
export interface KernelIdentity {
  readonly release: string;
  readonly kimageVaddr: Va;
  readonly vaBits: number;
  readonly pageSize: number;
  /** Link addresses of the symbols of a name, those that move with the image alone; none if it has none. */
  readonly linkAddresses: (name: string) => readonly Va[];
  /** All that are in the image, of the kernel and of its vDSOs. */
  readonly buildIds: readonly string[];
}

/**
 * Of these vmcoreinfo states what they hold (VMCOREINFO_SYMBOL_ARRAY): with CONFIG_SPARSEMEM_EXTREME mem_section is a pointer into
 * the linear map, not an array.
 */
const POINTERS: ReadonlySet<string> = new Set(['mem_section']);

/** What in a record shows that it is of another kernel than the one at hand; empty if nothing does. */
export function contradictionsWith(record: BootRecord, kernel: KernelIdentity): string[] {
  const found: string[] = [];
  const compare = <T>(what: string, told: T | undefined, own: T | undefined, format: (x: T) => string): void => {
    if (told !== undefined && own !== undefined && told !== own) {
      found.push(`${what} is ${format(told)} in the log and ${format(own)} in the kernel file`);
    }
  };
  compare('the release', record.release, kernel.release, (release) => release);
  compare('the link address', record.kimageVaddr, kernel.kimageVaddr, formatVa);
  compare('VA_BITS', record.vaBits, kernel.vaBits, String);
  compare('the page size', record.pageSize, kernel.pageSize, String);
  const { buildId, symbols = new Map<string, bigint>() } = record;
  if (kernel.buildIds.length > 0 && buildId !== undefined && !kernel.buildIds.includes(buildId)) {
    found.push(`the build ID is ${buildId} in the log and not in the kernel file`);
  }
  for (const [name, address] of symbols) {
    const own = POINTERS.has(name) ? [] : kernel.linkAddresses(name).map(toU64);
    const told = BigInt.asUintN(64, address - record.offset);
    if (!own.includes(told)) compare(`${name}'s link address`, told, own[0], formatU64);
  }
  return found;
}
