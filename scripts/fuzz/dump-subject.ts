/** Memory with a running sample kernel in it, raw and as an ELF core, and the search for that kernel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kernel } from '../../lib/image/kernel.js';
import { fingerprint } from '../../lib/locate/fingerprint.js';
import { findImages } from '../../lib/locate/memory-search.js';
import { relocateImage } from '../../lib/reloc/relative.js';

const PAGE = 4096;
const OFFSET = 0x1234_5680_0000;

function sampleKernel(root: string): Kernel {
  return new Kernel(Uint8Array.from(readFileSync(join(root, 'samples/bin/6.1/Image'))), 'none');
}

/** The kernel as it runs, a few pages into the memory. */
export function rawDump(root: string): Uint8Array {
  const image = sampleKernel(root).relocatable();
  relocateImage(image, OFFSET);
  const memory = Buffer.alloc(5 * PAGE + image.bytes.length);
  memory.set(image.bytes, 4 * PAGE);
  return memory;
}

/** The same as QEMU's dump-guest-memory writes it: one PT_LOAD. */
export function coreDump(root: string): Uint8Array {
  const memory = rawDump(root);
  const header = Buffer.alloc(PAGE);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(4, 16); // ET_CORE
  header.writeUInt16LE(183, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64);
  header.writeBigUInt64LE(BigInt(PAGE), 72);
  header.writeBigUInt64LE(0x4000_0000n, 88);
  header.writeBigUInt64LE(BigInt(memory.length), 96);
  return Buffer.concat([header, memory]);
}

let print: ReturnType<typeof fingerprint> | undefined;

/** Searches a dump for the sample kernel. */
export function searchDump(root: string, dump: Uint8Array): void {
  print ??= fingerprint(sampleKernel(root).relocatable());
  findImages({ size: dump.length, read: (position, length) => dump.subarray(position, position + length) }, print);
}
