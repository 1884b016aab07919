/**
 * What a raw arm64 Image tells about its segments: image_size, the PE/COFF sections, and where relocations point.
 *
 * Implements Documentation/arch/arm64/booting.rst (the 64-byte header) and as much of the Microsoft PE format as
 * efi-header.S writes. A kernel built without EFI has no PE header: its fields are then absent, not wrong.
 */

export interface ImageLayout {
  /** `_end - _text`. */
  readonly imageSize?: number;
  /** Offsets of `_stext` and of `__initdata_begin`. */
  readonly textOffset?: number;
  readonly dataOffset?: number;
  /** Alignment of segments, SEGMENT_ALIGN. */
  readonly sectionAlignment: number;
}

const IMAGE_SIZE_AT = 16;
const PE_OFFSET_AT = 0x3c;
const PE_MAGIC = 0x00004550;
const COFF_HEADER = 24;
const SECTION_HEADER = 40;
const SECTION_ALIGNMENT_AT = 32;
const SEGMENT_ALIGN = 0x10000;
const IMAGE_SIZE_LIMIT = 2 ** 32;

/** Reads the headers of a raw Image; what is missing, truncated or out of the image's bounds is left out. */
export function readImageLayout(image: Uint8Array): ImageLayout {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const u32 = (at: number): number => (at + 4 <= view.byteLength ? view.getUint32(at, true) : 0);
  const size = u32(IMAGE_SIZE_AT + 4) === 0 ? u32(IMAGE_SIZE_AT) : IMAGE_SIZE_LIMIT;
  const imageSize = size > 0 && size < IMAGE_SIZE_LIMIT ? { imageSize: size } : {};
  const pe = u32(PE_OFFSET_AT);
  if (u32(pe) !== PE_MAGIC) return { ...imageSize, sectionAlignment: SEGMENT_ALIGN };

  const sections = u32(pe + 4) >>> 16;
  const optionalHeader = pe + COFF_HEADER;
  const table = optionalHeader + (u32(pe + 20) & 0xffff);
  const addressOf = (name: string): number | undefined => {
    for (let i = 0; i < sections; i++) {
      const at = table + i * SECTION_HEADER;
      if (at + SECTION_HEADER > image.length) return undefined;
      const address = u32(at + 12);
      if (sectionName(image, at) === name) return address > 0 && address < size ? address : undefined;
    }
    return undefined;
  };
  const textOffset = addressOf('.text');
  const dataOffset = addressOf('.data');
  return {
    ...imageSize,
    ...(textOffset === undefined ? {} : { textOffset }),
    ...(dataOffset === undefined ? {} : { dataOffset }),
    sectionAlignment: u32(optionalHeader + SECTION_ALIGNMENT_AT) || SEGMENT_ALIGN,
  };
}

function sectionName(image: Uint8Array, at: number): string {
  return String.fromCharCode(...image.subarray(at, at + 8)).replace(/\0+$/, '');
}

/**
 * The lowest image offset at or beyond the end of a RELA table that one of its records points to.
 * @param rela as `kind: image, relocations.rela` of the image facade; records outside the image are ignored
 */
export function firstTargetBeyond(
  image: Uint8Array,
  rela: { readonly offset: number; readonly count: number; readonly linkBase: number },
): number | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const end = Math.min(rela.offset + 24 * rela.count, image.length);
  let lowest = Number.POSITIVE_INFINITY;
  for (let at = rela.offset; at + 24 <= end; at += 24) {
    const target = view.getInt32(at + 20, true) * 2 ** 32 + view.getUint32(at + 16, true) - rela.linkBase;
    if (target >= end && target < lowest) lowest = target;
  }
  return lowest === Number.POSITIVE_INFINITY ? undefined : lowest;
}
