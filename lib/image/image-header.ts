/**
 * The 64-byte header of a raw arm64 Image (Linux Documentation/arch/arm64/booting.rst, "Call the kernel image").
 * The first word is code and differs (`MZ` with an EFI stub), so the magic at 56 decides.
 */
import { ImageFormatError } from '../errors.js';

export const IMAGE_HEADER_SIZE = 64;
const MAGIC = 0x644d5241; // "ARM\x64"
const TWO_32 = 2 ** 32;
/** Where the PE/COFF header of a kernel with an EFI stub has what is read here (Linux arch/arm64/kernel/efi-header.S). */
const PE = {
  pointer: 60,
  sectionCount: 6,
  optionalSize: 20,
  sections: 24,
  sectionSize: 40,
  rawSize: 16,
  rawOffset: 20,
};

/** Bits 1-2 of the flags. */
const PAGE_SIZES = [undefined, 4096, 16384, 65536] as const;

export interface ImageHeader {
  /** Bytes from a 2 MiB boundary at which the image wants to be loaded. */
  readonly textOffset: number;
  /** `_end - _text`, what the image occupies in memory. */
  readonly imageSize: number;
  /** Undefined where the header does not say (before 4.6). */
  readonly pageSize: number | undefined;
}

export function isImage(bytes: Uint8Array): boolean {
  return (
    bytes.length >= IMAGE_HEADER_SIZE && new DataView(bytes.buffer, bytes.byteOffset).getUint32(56, true) === MAGIC
  );
}

/**
 * Reads the header at the start of `bytes`; does not check that the file has as many bytes as it says.
 * @throws ImageFormatError NOT_A_KERNEL without the magic, WRONG_ENDIAN for a big-endian kernel, BAD_TABLE for sizes no image can have
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (!isImage(bytes)) throw new ImageFormatError('NOT_A_KERNEL', 'no arm64 Image header (ARM\\x64 at offset 56)');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const flags = view.getUint32(24, true);
  if (flags & 1) throw new ImageFormatError('WRONG_ENDIAN', 'big-endian kernels are not supported');
  const textOffset = view.getUint32(8, true) + view.getUint32(12, true) * TWO_32;
  const imageSize = view.getUint32(16, true) + view.getUint32(20, true) * TWO_32;
  if (textOffset >= 2 ** 21 || imageSize >= 2 ** 31 || imageSize === 0) {
    throw new ImageFormatError(
      'BAD_TABLE',
      `Image header: text_offset ${textOffset} or image_size ${imageSize} is out of range`,
    );
  }
  return { textOffset, imageSize, pageSize: PAGE_SIZES[(flags >> 1) & 3] };
}

/**
 * Checks that a raw Image is all there, as far as it says: only its PE/COFF header knows how long the file is.
 * @throws ImageFormatError TRUNCATED
 */
export function requireWholeImage(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = view.getUint32(PE.pointer, true);
  if (view.getUint16(0) !== 0x4d5a || at + PE.sections > bytes.length || view.getUint32(at) !== 0x50450000) return;
  const count = view.getUint16(at + PE.sectionCount, true);
  const first = at + PE.sections + view.getUint16(at + PE.optionalSize, true);
  for (let section = first; section < first + count * PE.sectionSize; section += PE.sectionSize) {
    const isListed = section + PE.sectionSize <= bytes.length;
    const end = isListed
      ? view.getUint32(section + PE.rawOffset, true) + view.getUint32(section + PE.rawSize, true)
      : 0;
    if (isListed && end <= bytes.length) continue;
    throw new ImageFormatError(
      'TRUNCATED',
      `the Image is cut short at ${bytes.length} bytes${isListed ? ` of ${end} or more` : ''}`,
    );
  }
}
