/**
 * What kernels and modules come wrapped in: gzip, xz, zstd, and EFI zboot (Linux drivers/firmware/efi/libstub/zboot-header.S).
 * Recognised by content, never by name. Output is bounded: a bomb is an error.
 */
import { gunzipSync } from 'node:zlib';
import xz from 'xz-decompress';
import { ZSTDDecoder } from 'zstddec/stream';
import { ImageFormatError } from '../errors.js';

/** 1 GiB, ten times the largest kernel seen. */
export const DEFAULT_OUTPUT_LIMIT = 2 ** 30;

/** What a small file may unpack to, and how many times its size a large one: kernels shrink to a third, gzip to 1/1032 at most. */
const SMALL_OUTPUT = 64 * 2 ** 20;
const MOST_PER_BYTE = 1024;

export interface Unpacked {
  readonly bytes: Uint8Array;
  /** `none`, or the names from the outside in: `gzip`, `zboot+zstd`. */
  readonly compression: string;
}

interface Codec {
  readonly name: string;
  readonly magic: readonly number[];
  readonly unpack: (bytes: Uint8Array, limit: number) => Uint8Array | Promise<Uint8Array>;
}

const CODECS: readonly Codec[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], unpack: unpackGzip },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: unpackXz },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unpackZstd },
];

/** zboot may hold any codec, and the whole may be compressed again; nothing real is deeper. */
const MAX_DEPTH = 3;

/**
 * Unwraps until what is left is no container.
 * @param limit the most bytes any layer may unpack to; none may exceed 64 MiB and 1024 times the file either
 * @throws ImageFormatError BAD_CONTAINER naming the codec, TOO_LARGE past the limit
 */
export async function unpack(bytes: Uint8Array, limit = DEFAULT_OUTPUT_LIMIT): Promise<Unpacked> {
  const layers: string[] = [];
  const most = Math.min(limit, SMALL_OUTPUT + MOST_PER_BYTE * bytes.length);
  let inner = bytes;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const payload = zbootPayload(inner);
    const wrapped = payload ?? inner;
    const codec = CODECS.find(({ magic }) => magic.every((byte, at) => wrapped[at] === byte));
    if (payload && !codec) throw unknownPayload(inner);
    if (!codec) break;
    if (payload) layers.push('zboot');
    layers.push(codec.name);
    inner = await runCodec(codec, wrapped, most);
  }
  return { bytes: inner, compression: layers.join('+') || 'none' };
}

async function runCodec(codec: Codec, bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await codec.unpack(bytes, limit);
  } catch (cause) {
    if (cause instanceof ImageFormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImageFormatError(
      'BAD_CONTAINER',
      `${codec.name} data is damaged: ${reason}`,
      { codec: codec.name },
      { cause },
    );
  }
}

/** The compressed payload of an EFI zboot PE file; undefined if it is none. */
function zbootPayload(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 64 || bytes[0] !== 0x4d || bytes[1] !== 0x5a) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(4) !== 0x7a696d67) return undefined; // "zimg"
  const offset = view.getUint32(8, true);
  const size = view.getUint32(12, true);
  if (offset + size > bytes.length) {
    throw new ImageFormatError('TRUNCATED', `zboot payload at 0x${offset.toString(16)} runs past the end of the file`, {
      offset,
    });
  }
  return bytes.subarray(offset, offset + size);
}

/** The header names the compression at offset 24. */
function unknownPayload(zboot: Uint8Array): ImageFormatError {
  const name = /^[a-z0-9]*/.exec(Buffer.from(zboot.subarray(24, 56)).toString('latin1'))![0];
  return new ImageFormatError(
    'BAD_CONTAINER',
    `zboot payload is no gzip, xz or zstd data (its header says '${name}')`,
    {
      codec: name,
    },
  );
}

function tooLarge(codec: string, limit: number): ImageFormatError {
  return new ImageFormatError('TOO_LARGE', `${codec} data unpacks to more than ${limit} bytes`, { codec, limit });
}

function unpackGzip(bytes: Uint8Array, limit: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('gzip', limit);
    throw cause;
  }
}

/** Joins pieces as they come, and stops at the limit. */
class BoundedOutput {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(
    readonly codec: string,
    readonly limit: number,
  ) {}

  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.limit) throw tooLarge(this.codec, this.limit);
    this.#pieces.push(piece);
  }

  join(): Uint8Array {
    return Buffer.concat(this.#pieces, this.#length);
  }
}

/** enum xz_ret of XZ Embedded, which is all that xz-decompress says. */
const XZ_REASONS: readonly (string | undefined)[] = [
  undefined,
  undefined,
  undefined,
  'out of memory',
  'the dictionary is too large',
  'no xz stream',
  'only LZMA2 without a filter, with CRC32 or CRC64, is supported',
  'a block cannot be decoded',
  'the data ends too early',
];

function xzError(error: unknown): unknown {
  const code = error instanceof Error ? /error code (\d+)$/.exec(error.message)?.[1] : undefined;
  return new Error(XZ_REASONS[Number(code)] ?? String(error), { cause: error });
}

async function unpackXz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const output = new BoundedOutput('xz', limit);
  const reader = new xz.XzReadableStream(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) output.add(next.value);
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error instanceof ImageFormatError ? error : xzError(error);
  }
  return output.join();
}

/**
 * zstddec 0.3 takes no notice of errors: on damaged data it repeats the failing call, which yields nothing, for ever.
 * A sound stream yields an empty piece at its end and for each skippable frame.
 */
const EMPTY_PIECES = 16;

async function unpackZstd(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const output = new BoundedOutput('zstd', limit);
  let empty = 0;
  for (const piece of decoder.decodeStreaming([bytes])) {
    empty = piece.length === 0 ? empty + 1 : 0;
    if (empty > EMPTY_PIECES) throw new Error('a block cannot be decoded');
    output.add(piece);
  }
  return output.join();
}
