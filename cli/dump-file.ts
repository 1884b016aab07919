/** A memory dump read piece by piece: it may be larger than what fits in memory or in one read. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { MemoryDump } from '../lib/locate/memory-dump.js';
import { aboutFile } from './output/error.js';

/** Runs `work` on a file, whose bytes are in one buffer that each read fills anew. */
export async function withDump<T>(file: string, work: (dump: MemoryDump) => T): Promise<T> {
  return aboutFile(file, () => {
    const fd = openSync(file, 'r');
    let buffer = Buffer.alloc(0);
    const read = (position: number, length: number): Uint8Array => {
      if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        const count = readSync(fd, buffer, done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return buffer.subarray(0, done);
    };
    try {
      return work({ size: fstatSync(fd).size, read });
    } finally {
      closeSync(fd);
    }
  });
}
