/**
 * Self-relocation a second time: in bigint, a byte at a time, written from the texts of AAELF64 and the gABI without a look at
 * lib/reloc. Slow and obvious; where it and lib/reloc differ, lib/reloc is wrong.
 */

const U64 = (1n << 64n) - 1n;

export function readU64(bytes: Uint8Array, at: number): bigint {
  let value = 0n;
  for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
  return value;
}

export function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  for (let i = 0; i < 8; i++) bytes[at + i] = Number(((value & U64) >> BigInt(8 * i)) & 0xffn);
}

/**
 * gABI, "Relative Relocation Table": an even entry is an address to relocate; bit n > 0 of an odd one stands for the n-th word
 * behind where the last entry got to, and the entry moves that place on by 63 words.
 */
export function referenceRelr(words: readonly bigint[]): bigint[] {
  const places: bigint[] = [];
  let next = 0n;
  for (const word of words) {
    if (word % 2n === 0n) {
      places.push(word);
      next = word + 8n;
    } else {
      for (let bit = 1n; bit <= 63n; bit++) if ((word >> bit) % 2n === 1n) places.push(next + (bit - 1n) * 8n);
      next += 63n * 8n;
    }
  }
  return places;
}

/** The fewest entries that name the places, which ascend: what a linker writes. */
export function encodeRelr(places: readonly bigint[]): bigint[] {
  const words: bigint[] = [];
  const rest = [...places];
  while (rest.length > 0) {
    const first = rest.shift()!;
    words.push(first);
    let next = first + 8n;
    for (;;) {
      let bitmap = 1n;
      while (rest.length > 0 && rest[0]! >= next && rest[0]! < next + 504n && (rest[0]! - next) % 8n === 0n) {
        bitmap |= 1n << ((rest.shift()! - next) / 8n + 1n);
      }
      if (bitmap === 1n) break;
      words.push(bitmap);
      next += 504n;
    }
  }
  return words;
}

export interface ReferenceRela {
  readonly place: bigint;
  readonly type: number;
  readonly addend: bigint;
}

/** The bytes of an image linked at `base` after it moved by `delta`: Delta(S) + A stored, then Delta added at RELR places. */
export function referenceSelfRelocation(
  image: { bytes: Uint8Array; base: bigint; relas: readonly ReferenceRela[]; relr: readonly bigint[] },
  delta: bigint,
): Uint8Array {
  const bytes = Uint8Array.from(image.bytes);
  for (const { place, type, addend } of image.relas) {
    if (type === 1027) writeU64(bytes, Number(place - image.base), addend + delta);
  }
  for (const place of referenceRelr(image.relr)) {
    const at = Number(place - image.base);
    writeU64(bytes, at, readU64(bytes, at) + delta);
  }
  return bytes;
}
