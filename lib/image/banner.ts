/** The version banner that every kernel carries in .rodata: `Linux version 6.1.0-56-arm64 (...`. */
import { ImageFormatError } from '../errors.js';
import type { KernelVersion } from '../kaslr/era.js';

export interface Banner extends KernelVersion {
  /** UTS_RELEASE, what `uname -r` prints and module version magics begin with. */
  readonly release: string;
}

const PREFIX = 'Linux version ';
const RELEASE_LIMIT = 64; // __NEW_UTS_LEN

/**
 * Finds the banner; a format string with the same beginning is passed over.
 * @throws ImageFormatError NO_VERSION if there is none
 */
export function findBanner(image: Uint8Array): Banner {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  for (let at = bytes.indexOf(PREFIX); at >= 0; at = bytes.indexOf(PREFIX, at + 1)) {
    const text = bytes.toString('latin1', at + PREFIX.length, at + PREFIX.length + RELEASE_LIMIT + 1);
    const match = /^(\d{1,3})\.(\d{1,3})[^\s]*(?=\s)/.exec(text);
    if (match) return { release: match[0], major: Number(match[1]), minor: Number(match[2]) };
  }
  throw new ImageFormatError('NO_VERSION', 'no "Linux version" banner: is this an uncompressed kernel?');
}
