/**
 * Kernel images for tests, as small as they get: the boot header, a version banner, and relocation tables where they are
 * wanted. Nothing of lib/ is used.
 */
import { buildElf, buildRelas } from './elf-builder.js';
import { type ReferenceRela, writeU64 } from './reference-self-relocation.js';

export const RELATIVE = 1027;

export interface BuiltImage {
  /** Bytes of the file. */
  readonly size: number;
  /** `_end - _text`; default: the file's size. */
  readonly imageSize?: number;
  readonly base: bigint;
  readonly textOffset?: number;
  /** Default: little-endian, 4K pages. */
  readonly flags?: number;
  /** Default: 6.1; undefined for none. */
  readonly banner?: string | undefined;
  readonly relas?: { readonly at: number; readonly records: readonly ReferenceRela[] };
  readonly relr?: { readonly at: number; readonly words: readonly bigint[] };
  /** 64-bit values by offset. */
  readonly values?: readonly (readonly [number, bigint])[];
}

export const BANNER = 'Linux version 6.1.0-test (kaslrkit) #1\n';
/** Where the banner stands. */
export const BANNER_AT = 64;

export function buildImage(image: BuiltImage): Uint8Array {
  const bytes = new Uint8Array(image.size);
  writeU64(bytes, 8, BigInt(image.textOffset ?? 0));
  writeU64(bytes, 16, BigInt(image.imageSize ?? image.size));
  writeU64(bytes, 24, BigInt(image.flags ?? 0b1010));
  bytes.set(Buffer.from('ARM\x64'), 56);
  const banner = 'banner' in image ? image.banner : BANNER;
  if (banner !== undefined) bytes.set(Buffer.from(banner, 'latin1'), BANNER_AT);
  for (const [at, value] of image.values ?? []) writeU64(bytes, at, value);
  if (image.relas) bytes.set(relaBytes(image.relas.records), image.relas.at);
  image.relr?.words.forEach((word, i) => {
    writeU64(bytes, image.relr!.at + 8 * i, word);
  });
  return bytes;
}

const relaBytes = (records: readonly ReferenceRela[]): Uint8Array =>
  buildRelas(records.map(({ place, type, addend }) => ({ offset: place, type, addend })));

/** The image as a vmlinux of one segment; the tables get sections, as linkers make them. */
export function buildVmlinux(image: BuiltImage): Uint8Array {
  const bytes = buildImage(image);
  const section = (name: string, type: number, at: number, size: number) => ({
    name,
    type,
    flags: 2n,
    addr: image.base + BigInt(at),
    data: bytes.slice(at, at + size),
    addralign: 8n,
  });
  return buildElf({
    type: 3,
    entry: image.base,
    sections: [
      { name: '.head.text', flags: 6n, addr: image.base, data: bytes, addralign: 65536n },
      ...(image.relas ? [section('.rela.dyn', 4, image.relas.at, 24 * image.relas.records.length)] : []),
      ...(image.relr ? [section('.relr.dyn', 19, image.relr.at, 8 * image.relr.words.length)] : []),
    ],
    segments: [{ vaddr: image.base, section: 0, memsz: BigInt(image.imageSize ?? image.size) }],
  });
}
