/**
 * Placement and self-relocation against booted kernels, byte for byte.
 *
 * images/*.json hold, of each boot under QEMU: seed and CPU, the run address of `_text`, and the SHA-256 of the image as it
 * stood in memory once it had relocated itself, with what early boot writes for other reasons (`exclude`) zeroed.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatVa, parseVa } from '../../lib/address.js';
import { type Kernel, openKernel } from '../../lib/image/kernel.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { place } from '../../lib/kaslr/place.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import { describeKernel, oraclesIn, readOracle, sha256 } from './support/kernels.js';

interface Oracle {
  id: string;
  sha256: string;
  bytes: number;
  imageSize: number;
  linkBase: string;
  rela: { offset: number; count: number };
  relr: { offset: number; words: number; count: number } | null;
  boots: {
    seed: string;
    cpu: string;
    text: string;
    changedWords: number;
    exclude: [number, number][];
    sha256: string;
  }[];
}

const NO_RELR = { offset: 0, words: 0, count: 0 };

/** How many 64-bit words of two images differ. */
function changedWords(a: Uint8Array, b: Uint8Array): number {
  const [left, right] = [a, b].map((bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, (bytes.length >> 3) * 2));
  let count = 0;
  for (let i = 0; i < left!.length; i += 2) if (left![i] !== right![i] || left![i + 1] !== right![i + 1]) count++;
  return count;
}

const ORACLES = oraclesIn('images').map((name) => readOracle<Oracle>(name));

describe('the recordings', () => {
  it.each(ORACLES)('$id: leave most of the image to compare', ({ bytes, boots }) => {
    expect(boots.length).toBeGreaterThan(1);
    for (const { exclude } of boots) {
      expect(exclude.every(([at, length]) => at >= 0 && length > 0 && at + length <= bytes)).toBe(true);
      expect(exclude.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(bytes / 1000);
    }
  });
});

for (const oracle of ORACLES) {
  describeKernel(oracle.id, oracle.sha256, (path) => {
    let opened: Promise<Kernel> | undefined;
    const open = (): Promise<Kernel> => {
      opened ??= openKernel(readFileSync(path));
      return opened;
    };

    const placed = (kernel: Kernel, { seed, cpu }: Oracle['boots'][number]) => {
      const { era, linkBase, imageSize } = kernel;
      const geometry = geometryOf(kernel, cpu === 'max' ? 52 : undefined);
      return place({ era, geometry, linkBase, imageSize }, { seed: BigInt(`0x${seed}`) });
    };

    const relocated = (kernel: Kernel, ...distances: number[]): Uint8Array => {
      const image = kernel.relocatable();
      for (const distance of distances) relocateImage(image, distance);
      return image.bytes;
    };

    it('has its tables where they were recorded', async () => {
      const kernel = await open();
      expect(kernel.tables).toEqual({ rela: oracle.rela, relr: oracle.relr ?? NO_RELR });
      expect([formatVa(kernel.linkBase), kernel.imageSize, kernel.image.length]).toEqual([
        oracle.linkBase,
        oracle.imageSize,
        oracle.bytes,
      ]);
    });

    it.each(oracle.boots)('is in memory as with seed $seed on $cpu', async (boot) => {
      const kernel = await open();
      const { text, offset } = placed(kernel, boot);
      expect(formatVa(text)).toBe(boot.text);
      const image = kernel.relocatable();
      expect(relocateImage(image, offset)).toEqual({ rela: oracle.rela.count, relr: oracle.relr?.count ?? 0 });
      for (const [at, length] of boot.exclude) image.bytes.fill(0, at, at + length);
      expect(sha256(image.bytes)).toBe(boot.sha256);
    });

    it('can be moved on from where it is: RELA by the distance from the link address, RELR by that from there', async () => {
      const kernel = await open();
      const [first, second] = oracle.boots.map(({ text }) => parseVa(text, 'text') - kernel.linkBase);
      const there = relocated(kernel, second!);
      if (oracle.relr) {
        // The few RELA places are the only ones that end up elsewhere.
        const moved = relocated(kernel, first!, second! - first!);
        expect(changedWords(moved, there)).toBeLessThanOrEqual(oracle.rela.count);
        const { bytes } = kernel.relocatable();
        expect(changedWords(relocated(kernel, first!, -first!), bytes)).toBeLessThanOrEqual(oracle.rela.count);
      } else {
        expect(sha256(relocated(kernel, first!, second!))).toBe(sha256(there));
        expect(sha256(relocated(kernel, second!, second!))).toBe(sha256(there));
      }
    });

    it('differs from another boot’s image in its relocated words alone', async () => {
      const kernel = await open();
      const [first, second] = oracle.boots.map(({ text }) =>
        relocated(kernel, parseVa(text, 'text') - kernel.linkBase),
      );
      expect(changedWords(first!, second!)).toBeLessThanOrEqual(oracle.rela.count + 2 * (oracle.relr?.count ?? 0));
      expect(changedWords(first!, second!)).toBeGreaterThan((oracle.rela.count + (oracle.relr?.count ?? 0)) * 0.99);
    });

    it('is found and relocated again after it was written out', async () => {
      const kernel = await open();
      const [first, second] = oracle.boots.map(({ text }) => parseVa(text, 'text') - kernel.linkBase);
      const again = await openKernel(Buffer.from(relocated(kernel, first!)));
      expect(again.tables).toEqual(kernel.tables);
      expect(sha256(relocated(again, second!))).toBe(sha256(relocated(kernel, second!)));
    });
  });
}
