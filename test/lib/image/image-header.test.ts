import { describe, expect, it } from '@jest/globals';
import { isImage, readImageHeader, requireWholeImage } from '../../../lib/image/image-header.js';
import { patched, patched64 } from '../../support/elf-builder.js';
import { type BuiltImage, buildImage } from '../../support/image-builder.js';
import { codeOf } from '../../support/thrown.js';

const build = (image: Partial<BuiltImage> = {}) => buildImage({ size: 512, base: 0xffff800008000000n, ...image });

describe('readImageHeader', () => {
  it.each([
    [0b0000, undefined],
    [0b0010, 4096],
    [0b0100, 16384],
    [0b0110, 65536],
    [0b1010, 4096],
  ])('reads flags %d', (flags, pageSize) => {
    const header = readImageHeader(build({ flags, imageSize: 0x123000, textOffset: 0x80000 }));
    expect(header).toEqual({ textOffset: 0x80000, imageSize: 0x123000, pageSize });
  });

  it('refuses a big-endian kernel', () => {
    expect(codeOf(() => readImageHeader(build({ flags: 0b1011 })))).toBe('WRONG_ENDIAN');
  });

  it('takes every text_offset below 2 MiB and image_size below 2 GiB, and nothing beyond', () => {
    const outcome = (at: number, value: bigint) => codeOf(() => readImageHeader(patched64(build(), at, value)));
    expect(outcome(8, 2n ** 21n - 1n)).toBeUndefined();
    expect(outcome(8, 2n ** 21n)).toBe('BAD_TABLE');
    expect(outcome(8, 2n ** 63n)).toBe('BAD_TABLE');
    expect(outcome(16, 2n ** 31n - 1n)).toBeUndefined();
    expect(outcome(16, 2n ** 31n)).toBe('BAD_TABLE');
    expect(outcome(16, 2n ** 64n - 1n)).toBe('BAD_TABLE');
    expect(outcome(16, 0n)).toBe('BAD_TABLE');
  });

  it('goes by the magic, of which every byte counts', () => {
    expect(isImage(build())).toBe(true);
    for (let at = 56; at < 60; at++) {
      expect(isImage(patched(build(), at, 0))).toBe(false);
      expect(codeOf(() => readImageHeader(patched(build(), at, 0)))).toBe('NOT_A_KERNEL');
    }
    expect(isImage(build().subarray(0, 64))).toBe(true);
    expect(isImage(build().subarray(0, 63))).toBe(false);
    expect(isImage(new Uint8Array(0))).toBe(false);
  });
});

describe('requireWholeImage', () => {
  /** A PE/COFF header at 128 with two sections, the last of which ends at 400. */
  function withStub(): Uint8Array {
    const image = build();
    const view = new DataView(image.buffer);
    image.set(Buffer.from('MZ'), 0);
    view.setUint32(60, 128, true);
    image.set(Buffer.from('PE\0\0'), 128);
    view.setUint16(128 + 6, 2, true);
    view.setUint16(128 + 20, 16, true);
    const sections = 128 + 24 + 16;
    for (const [i, [offset, size]] of [
      [64, 128],
      [192, 208],
    ].entries()) {
      view.setUint32(sections + 40 * i + 16, size!, true);
      view.setUint32(sections + 40 * i + 20, offset!, true);
    }
    return image;
  }

  it('takes a file that ends with its last section, or later as a signed one, and refuses one a byte shorter', () => {
    expect(codeOf(() => requireWholeImage(withStub()))).toBeUndefined();
    expect(codeOf(() => requireWholeImage(withStub().subarray(0, 400)))).toBeUndefined();
    expect(codeOf(() => requireWholeImage(withStub().subarray(0, 399)))).toBe('TRUNCATED');
    expect(() => requireWholeImage(withStub().subarray(0, 399))).toThrow('cut short at 399 bytes of 400 or more');
  });

  it('refuses a file that ends inside the list of sections', () => {
    expect(codeOf(() => requireWholeImage(withStub().subarray(0, 240)))).toBe('TRUNCATED');
  });

  it('asks nothing of an image without a stub', () => {
    expect(codeOf(() => requireWholeImage(patched(withStub(), 0, 0)))).toBeUndefined();
    expect(codeOf(() => requireWholeImage(patched(withStub(), 128, 0).subarray(0, 300)))).toBeUndefined();
    expect(codeOf(() => requireWholeImage(patched(withStub(), 60, 0xff, 0xff, 0xff, 0xff)))).toBeUndefined();
  });
});
