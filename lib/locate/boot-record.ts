/**
 * What a kernel says of its own place: a panic (Linux arch/arm64/kernel/setup.c, dump_kernel_offset()), the lines around it, and
 * vmcoreinfo (kernel/crash_core.c and arch/arm64/kernel/crash_core.c; vmcore_info.c from 6.9).
 *
 * One row per line worth reading. Rows of a log look anywhere in a line, so that whatever dmesg, a journal or a serial
 * console puts in front does not matter.
 */
import { type Va, vaFromBigInt } from '../address.js';
import { LocateError } from '../errors.js';
import type { KernelVersion } from '../kaslr/era.js';

export interface BootRecord {
  /** `uname -r`, and the version it begins with. */
  readonly release?: string;
  readonly version?: KernelVersion;
  /** Distance of the image from its link address; 0 where the kernel says it is disabled. */
  readonly offset: bigint;
  /** KIMAGE_VADDR, from which the offset counts. */
  readonly kimageVaddr?: Va;
  /** Physical address that the linear map begins with; wraps below 0 where that is randomised. */
  readonly physOffset?: bigint;
  /** Run address minus physical address of the image. */
  readonly kimageVoffset?: bigint;
  /** Run addresses as vmcoreinfo states them, by symbol; 64-bit values that may be no addresses. */
  readonly symbols?: ReadonlyMap<string, bigint>;
  /** In lower-case hexadecimal; absent where the kernel has none and says zeros. */
  readonly buildId?: string;
  /** CONFIG_ARM64_VA_BITS, and what TCR_EL1 was set to. */
  readonly vaBits?: number;
  readonly vaBitsActual?: number;
  readonly pageSize?: number;
  /** Modules as a panic lists them, without taint flags. */
  readonly modules?: readonly string[];
  /** How many different offsets follow each other in the text; the record is of the last. */
  readonly offsets: number;
}

/** What lines tell before it is known whether any states the offset. */
type Found = Partial<Omit<BootRecord, 'offsets'>>;

interface Row {
  readonly pattern: RegExp;
  readonly read: (...groups: string[]) => Found;
}

/** Lines beyond this are no kernel's (LOG_LINE_MAX is 1 KiB) and would only cost time. */
const LINE_LIMIT = 4096;
/** vmcoreinfo is a page of text. */
const SYMBOL_LIMIT = 256;
const RELEASE = String.raw`((\d{1,3})\.(\d{1,3})\S{0,64})`;
const HEX = '([0-9a-f]{1,16})';

const hex = (text: string): bigint => BigInt(`0x${text}`);
const address = (text: string): Va => vaFromBigInt(hex(text));

const readRelease = (release: string, major: string, minor: string): Found => ({
  release,
  version: { major: Number(major), minor: Number(minor) },
});

/** `xfs(E) ext4 [last unloaded: foo]`: names, without what follows in brackets. */
function readModules(text: string): Found {
  const listed = text.replace(/\[.*$/, '').trim();
  return { modules: listed === '' ? [] : listed.split(/\s+/).map((name) => name.replace(/\(.*$/, '')) };
}

type Symbols = ReadonlyMap<string, bigint>;

/** Symbols gather over lines; of all else the last line holds. */
const joined = (known: Symbols | undefined, read: Symbols): Symbols =>
  known && known.size >= SYMBOL_LIMIT ? known : new Map([...(known ?? []), ...read]);

const row = (pattern: string, read: Row['read']): Row => ({ pattern: new RegExp(pattern), read });

const BANNER = row(`Linux version ${RELEASE}`, readRelease);

const ROWS: readonly Row[] = [
  BANNER,
  row(`CPU: \\d+ .*PID: \\d+ Comm: .* ${RELEASE} #\\d`, readRelease),
  row('Modules linked in:(.*)$', readModules),
  row(`Kernel Offset: 0x${HEX} from 0x${HEX}\\b`, (offset, from) => ({
    offset: hex(offset!),
    kimageVaddr: address(from!),
  })),
  row('Kernel Offset: disabled', () => ({ offset: 0n })),
  row(`PHYS_OFFSET: 0x${HEX}\\b`, (text) => ({ physOffset: hex(text!) })),
  row(`^OSRELEASE=${RELEASE}`, readRelease),
  row(`^KERNELOFFSET=${HEX}$`, (text) => ({ offset: hex(text!) })),
  row('^BUILD-ID=(?!0+$)([0-9a-f]{40})$', (buildId) => ({ buildId: buildId! })),
  row(`^SYMBOL\\(([\\w.$]{1,511})\\)=${HEX}$`, (name, text) => ({ symbols: new Map([[name!, hex(text!)]]) })),
  row(`^NUMBER\\(PHYS_OFFSET\\)=0x${HEX}$`, (text) => ({ physOffset: hex(text!) })),
  row(`^NUMBER\\(kimage_voffset\\)=0x${HEX}$`, (text) => ({ kimageVoffset: hex(text!) })),
  row(`^NUMBER\\(MODULES_END\\)=0x${HEX}$`, (text) => ({ kimageVaddr: address(text!) })),
  row('^NUMBER\\(VA_BITS\\)=(\\d{2})$', (text) => ({ vaBits: Number(text) })),
  row('^NUMBER\\(TCR_EL1_T1SZ\\)=0x([0-9a-f]{1,2})$', (text) => ({ vaBitsActual: 64 - Number(hex(text!)) })),
  row('^PAGESIZE=(\\d{4,5})$', (text) => ({ pageSize: Number(text) })),
];

/**
 * Reads a log or vmcoreinfo, line by line. A log of several boots tells of the last one that states an offset.
 * @param lines without line ends; may be lazy
 * @throws LocateError NO_OFFSET if no line states one; AddressError ADDRESS_RANGE for an address that is none
 */
export function readBootRecord(lines: Iterable<string>): BootRecord {
  let found: Found = {};
  let earlier: Found = {};
  let offsets = 0;
  for (const line of lines) {
    if (line.length > LINE_LIMIT) continue;
    for (const row of ROWS) {
      const match = row.pattern.exec(line);
      if (!match) continue;
      // What the boot before said of itself does not hold for the one that this banner begins.
      if (row === BANNER && found.offset !== undefined) [earlier, found] = [found, {}];
      const read = row.read(...match.slice(1));
      if (read.offset !== undefined && read.offset !== (found.offset ?? earlier.offset)) offsets++;
      found = { ...found, ...read, ...(read.symbols && { symbols: joined(found.symbols, read.symbols) }) };
      break;
    }
  }
  const { offset, ...rest } = found.offset === undefined ? earlier : found;
  if (offset === undefined) {
    throw new LocateError('NO_OFFSET', "neither a panic's 'Kernel Offset:' nor vmcoreinfo's KERNELOFFSET= is in it");
  }
  return { ...rest, offset, offsets };
}
