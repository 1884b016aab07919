import { describe, expect, it } from '@jest/globals';
import { type MemoryDump, memoryRanges } from '../../../lib/locate/memory-dump.js';
import { codeOf } from '../../support/thrown.js';

const dumpOf = (bytes: Uint8Array): MemoryDump => ({
  size: bytes.length,
  read: (position, length) => bytes.subarray(position, position + length),
});

interface Segment {
  readonly type?: number;
  readonly offset: bigint;
  readonly phys: bigint;
  readonly size: bigint;
}

/** An ELF core as QEMU writes it: header, program headers, memory. */
function core(
  segments: readonly Segment[],
  { size = 0x3000, type = 4, machine = 183, phnum = segments.length } = {},
): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, phnum, true);
  segments.forEach(({ type = 1, offset, phys, size }, i) => {
    view.setUint32(64 + i * 56, type, true);
    view.setBigUint64(64 + i * 56 + 8, offset, true);
    view.setBigUint64(64 + i * 56 + 24, phys, true);
    view.setBigUint64(64 + i * 56 + 32, size, true);
  });
  return bytes;
}

const bad = (bytes: Uint8Array): unknown => codeOf(() => memoryRanges(dumpOf(bytes)));

describe('memoryRanges', () => {
  it('takes a raw dump as it is, however short', () => {
    expect(memoryRanges(dumpOf(new Uint8Array(0x5000)))).toEqual([{ position: 0, length: 0x5000 }]);
    expect(memoryRanges(dumpOf(new Uint8Array(0)))).toEqual([{ position: 0, length: 0 }]);
    expect(memoryRanges(dumpOf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)))).toEqual([{ position: 0, length: 4 }]);
  });

  it('takes the loadable segments of a core, with their physical addresses', () => {
    const segments = [
      { type: 4, offset: 0x130n, phys: 0n, size: 0x3c0n },
      { offset: 0x4f0n, phys: 0x40000000n, size: 0x1000n },
      { offset: 0x14f0n, phys: 0x880000000n, size: 0x1b10n },
    ];
    expect(memoryRanges(dumpOf(core(segments)))).toEqual([
      { position: 0x4f0, length: 0x1000, phys: 0x40000000n },
      { position: 0x14f0, length: 0x1b10, phys: 0x880000000n },
    ]);
  });

  it('refuses a segment that ends beyond the file, at the first byte', () => {
    const segment = { offset: 0x1000n, phys: 0n };
    expect(memoryRanges(dumpOf(core([{ ...segment, size: 0x2000n }])))).toHaveLength(1);
    expect(bad(core([{ ...segment, size: 0x2001n }]))).toBe('BAD_DUMP');
    expect(bad(core([{ ...segment, size: 2n ** 64n - 1n }]))).toBe('BAD_DUMP');
    expect(bad(core([{ ...segment, offset: 2n ** 63n, size: 1n }]))).toBe('BAD_DUMP');
  });

  it('refuses program headers that are not inside the file or counted elsewhere', () => {
    expect(bad(core([], { phnum: 0xffff, size: 2 ** 23 }))).toBe('BAD_DUMP');
    expect(bad(core([], { phnum: 3, size: 64 + 2 * 56 }))).toBe('BAD_DUMP');
  });

  it('refuses an ELF file that is no AArch64 core', () => {
    expect(bad(core([], { type: 2 }))).toBe('BAD_DUMP');
    expect(bad(core([], { machine: 62 }))).toBe('BAD_DUMP');
  });

  it.each(['KDUMP   ', 'DISKDUMP', 'makedumpfile'])('refuses a compressed dump that begins with %s', (magic) => {
    const bytes = new Uint8Array(4096);
    bytes.set(Buffer.from(magic));
    expect(bad(bytes)).toBe('BAD_DUMP');
  });
});
