import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ImageFormatError } from '../../../lib/errors.js';
import { unpack } from '../../../lib/image/container.js';
import { patched } from '../../support/elf-builder.js';
import { PAYLOAD, XZ, XZ_FILTERED, ZSTD, ZSTD_SKIPPABLE, zboot } from '../../support/packed.js';
import { codeOfAsync } from '../../support/thrown.js';

const GZIP = gzipSync(PAYLOAD);
const CODECS: [string, Uint8Array][] = [
  ['gzip', GZIP],
  ['xz', XZ],
  ['zstd', ZSTD],
];
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe.each(CODECS)('%s', (name, packed) => {
  it('unpacks to the last byte', async () => {
    const { bytes, compression } = await unpack(packed);
    expect(compression).toBe(name);
    expect(same(bytes, PAYLOAD)).toBe(true);
  });

  it('unpacks from anywhere in a larger buffer', async () => {
    const buffer = Buffer.alloc(packed.length + 32, 0xff);
    buffer.set(packed, 13);
    expect(same((await unpack(buffer.subarray(13, 13 + packed.length))).bytes, PAYLOAD)).toBe(true);
  });

  it('unpacks two streams in a row, as parallel packers write', async () => {
    const { bytes } = await unpack(Buffer.concat([packed, packed]));
    expect(same(bytes, Buffer.concat([PAYLOAD, PAYLOAD]))).toBe(true);
  });

  it('unpacks as much as the limit allows and not a byte more', async () => {
    expect((await unpack(packed, PAYLOAD.length)).bytes).toHaveLength(PAYLOAD.length);
    expect(await codeOfAsync(() => unpack(packed, PAYLOAD.length - 1))).toBe('TOO_LARGE');
  });

  it('is refused wherever it is cut short', async () => {
    for (const length of [6, 7, 20, 100, packed.length - 20, packed.length - 4, packed.length - 1]) {
      expect(await codeOfAsync(() => unpack(packed.subarray(0, length)))).toBe('BAD_CONTAINER');
    }
  });

  it('never unpacks to something else: a changed byte is noticed or without effect', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (offset, change) => {
        const damaged = patched(packed, offset, packed[offset]! ^ change);
        const { bytes, compression } = await unpack(damaged).catch((error: ImageFormatError) => {
          expect(error.code).toBe('BAD_CONTAINER');
          return { bytes: PAYLOAD, compression: name };
        });
        expect(compression === 'none' || same(bytes, PAYLOAD)).toBe(true);
      }),
    );
  });

  it('is found inside an EFI zboot image, with bytes behind it', async () => {
    const { bytes, compression } = await unpack(zboot(packed, name));
    expect(compression).toBe(`zboot+${name}`);
    expect(same(bytes, PAYLOAD)).toBe(true);
  });

  it('is unpacked again if it holds another container', async () => {
    const { bytes, compression } = await unpack(gzipSync(zboot(packed, name)));
    expect(compression).toBe(`gzip+zboot+${name}`);
    expect(same(bytes, PAYLOAD)).toBe(true);
  });
});

describe('zstd', () => {
  it('passes over skippable frames, several in a row too', async () => {
    const frames = [ZSTD, ZSTD_SKIPPABLE, ZSTD_SKIPPABLE, ZSTD_SKIPPABLE, ZSTD, ZSTD_SKIPPABLE];
    expect(same((await unpack(Buffer.concat(frames))).bytes, Buffer.concat([PAYLOAD, PAYLOAD]))).toBe(true);
  });

  it('unpacks after a damaged file was refused', async () => {
    expect(await codeOfAsync(() => unpack(patched(ZSTD, 60, 0xff, 0xff, 0xff)))).toBe('BAD_CONTAINER');
    expect(same((await unpack(ZSTD)).bytes, PAYLOAD)).toBe(true);
  });
});

describe('xz', () => {
  it('is refused in plain words if it needs a filter that the decoder lacks', async () => {
    await expect(unpack(XZ_FILTERED)).rejects.toThrow(
      'xz data is damaged: only LZMA2 without a filter, with CRC32 or CRC64, is supported',
    );
  });
});

describe('what is no container', () => {
  it.each([0, 1, 5, 63, 64])('is left alone: %d bytes', async (length) => {
    const bytes = new Uint8Array(length).fill(0x5a);
    expect(await unpack(bytes)).toEqual({ bytes, compression: 'none' });
  });

  it('is left alone if it is a kernel with an EFI stub', async () => {
    const bytes = new Uint8Array(128);
    bytes.set(Buffer.from('MZ'));
    expect((await unpack(bytes)).compression).toBe('none');
  });
});

describe('zboot', () => {
  it('takes a payload that ends with the file and refuses one a byte longer', async () => {
    const whole = zboot(GZIP, 'gzip').subarray(0, 512 + GZIP.length);
    expect((await unpack(whole)).compression).toBe('zboot+gzip');
    expect(await codeOfAsync(() => unpack(whole.subarray(0, whole.length - 1)))).toBe('TRUNCATED');
    expect(await codeOfAsync(() => unpack(patched(whole, 8, 0xff, 0xff, 0xff, 0xff)))).toBe('TRUNCATED');
  });

  it('names a compression that is not supported', async () => {
    await expect(unpack(zboot(Uint8Array.of(1, 2, 3, 4), 'lzma'))).rejects.toThrow("(its header says 'lzma')");
  });
});

it('is not taken in by a bomb', async () => {
  const bomb = gzipSync(new Uint8Array(2 ** 26));
  expect(bomb.length).toBeLessThan(2 ** 17);
  expect(await codeOfAsync(() => unpack(bomb, 2 ** 20))).toBe('TOO_LARGE');
});

it('is not taken in by a bomb in a bomb: kilobytes never unpack to more than 64 MiB and 1024 times their size', async () => {
  const inner = gzipSync(new Uint8Array(2 ** 28));
  const bomb = gzipSync(inner);
  expect(bomb.length).toBeLessThan(2 ** 12);
  expect(await codeOfAsync(() => unpack(bomb))).toBe('TOO_LARGE');
  expect((await unpack(gzipSync(gzipSync(new Uint8Array(2 ** 25))))).bytes).toHaveLength(2 ** 25);
});
