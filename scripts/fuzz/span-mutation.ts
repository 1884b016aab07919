/** Changes inside the parts of a file that decide how it is read: an Image's header and tables, the ends of a container. */
import { findKallsyms } from '../../lib/image/kallsyms-search.js';
import { Kernel } from '../../lib/image/kernel.js';
import { mutateBytes, spoilField } from './byte-mutation.js';
import type { Random } from './random.js';

/** `[start, end)` of a file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A copy with a number or a few bytes of the span changed; everything stays in its place. */
export function mutateSpan(bytes: Uint8Array, { start, end }: Span, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (random.once(3)) {
    const piece = mutateBytes(copy.subarray(start, end), random);
    copy.set(piece.subarray(0, end - start), start);
  } else {
    const size = random.pick([1, 2, 4, 8]);
    spoilField(copy, { at: start + random.below(Math.ceil((end - start) / size)) * size, size }, random);
  }
  return copy;
}

/** The header, both relocation tables and kallsyms of a sound raw Image. */
export function imageSpans(image: Uint8Array): Span[] {
  const { tables } = new Kernel(image, 'none');
  const { rela, relr } = tables;
  const kallsyms = findKallsyms(Buffer.from(image.buffer, image.byteOffset, image.length));
  const spans: Span[] = [
    { start: 0, end: 64 },
    { start: rela.offset, end: rela.offset + rela.count * 24 },
    { start: relr.offset, end: relr.offset + relr.words * 8 },
  ];
  if (kallsyms) {
    const { names, count, tokenTable, tokenIndex } = kallsyms;
    spans.push(
      { start: names - 16, end: names + 64 },
      { start: tokenTable - 64, end: tokenIndex + 512 + count * 4 + 8 },
    );
  }
  return spans.filter(({ start, end }) => end > start && end <= image.length);
}

/** Where containers keep sizes and checksums: the first and the last 64 bytes. */
export function containerSpans({ length }: Uint8Array): Span[] {
  return [
    { start: 0, end: Math.min(64, length) },
    { start: Math.max(0, length - 64), end: length },
  ];
}

/** The headers of a core, or the first page of raw memory, and what follows: relocated words all over the image. */
export function dumpSpans({ length }: Uint8Array): Span[] {
  return [
    { start: 0, end: 120 },
    { start: 0, end: length },
  ];
}
