/**
 * Memory as a file holds it: raw bytes from some address on, or an ELF core (gABI; PT_LOAD segments with p_paddr) as QEMU's
 * dump-guest-memory and /proc/vmcore write it. Read piece by piece through a function: a dump may be larger than memory.
 */
import { PT_LOAD } from '../elf/constant.js';
import { LocateError } from '../errors.js';

export interface MemoryDump {
  /** Bytes in the file. */
  readonly size: number;
  /** The bytes from `position` on, fewer only at the end of the file. The buffer may be used again by the next call. */
  readonly read: (position: number, length: number) => Uint8Array;
}

/** Contiguous memory: `length` bytes at `position` of the file; at `phys` in the machine, where the file says so. */
export interface MemoryRange {
  readonly position: number;
  readonly length: number;
  readonly phys?: bigint;
}

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_CORE = 4;
const EM_AARCH64 = 183;
/** e_phnum where the number does not fit in 16 bits and stands elsewhere. */
const PN_XNUM = 0xffff;

/** What compressed dumps begin with: their pages are not in the file as they were in memory. */
const COMPRESSED: readonly (readonly [magic: string, format: string])[] = [
  ['KDUMP   ', 'a compressed kdump'],
  ['DISKDUMP', 'a compressed kdump'],
  ['makedumpfile', 'a flattened makedumpfile'],
];

/**
 * The memory that a dump holds, by position.
 * @throws LocateError BAD_DUMP for a compressed dump, or an ELF that is no whole AArch64 core
 */
export function memoryRanges(dump: MemoryDump): MemoryRange[] {
  const head = Uint8Array.from(dump.read(0, EHDR_SIZE));
  const start = String.fromCharCode(...head.subarray(0, 16));
  const compressed = COMPRESSED.find(([magic]) => start.startsWith(magic));
  if (compressed) {
    throw new LocateError('BAD_DUMP', `${compressed[1]} file: give a raw or ELF dump (crash and makedumpfile convert)`);
  }
  if (!start.startsWith('\x7fELF') || head.length < EHDR_SIZE) return [{ position: 0, length: dump.size }];
  return coreRanges(dump, new DataView(head.buffer));
}

function coreRanges(dump: MemoryDump, header: DataView): MemoryRange[] {
  const isCore =
    header.getUint8(4) === ELFCLASS64 &&
    header.getUint8(5) === ELFDATA2LSB &&
    header.getUint16(16, true) === ET_CORE &&
    header.getUint16(18, true) === EM_AARCH64;
  if (!isCore) throw new LocateError('BAD_DUMP', 'an ELF file, but no core dump of a little-endian AArch64 machine');
  const offset = Number(header.getBigUint64(32, true));
  const count = header.getUint16(56, true);
  if (header.getUint16(54, true) !== PHDR_SIZE || count === PN_XNUM || offset + count * PHDR_SIZE > dump.size) {
    throw new LocateError('BAD_DUMP', 'program headers of the core dump are not inside the file');
  }
  const table = Uint8Array.from(dump.read(offset, count * PHDR_SIZE));
  const view = new DataView(table.buffer);
  const ranges: MemoryRange[] = [];
  for (let at = 0; at + PHDR_SIZE <= table.length; at += PHDR_SIZE) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const position = Number(view.getBigUint64(at + 8, true));
    const length = Number(view.getBigUint64(at + 32, true));
    if (position + length > dump.size) {
      throw new LocateError('BAD_DUMP', `segment ${at / PHDR_SIZE} of the core dump is cut short`);
    }
    ranges.push({ position, length, phys: view.getBigUint64(at + 24, true) });
  }
  return ranges;
}
