/**
 * What of an image stands unchanged in memory wherever it runs: the first 8 bytes of each 4 KiB page that no relocation
 * touches; and what moves with it: the words that relocations change.
 *
 * An image and a dump both begin at a page, so one look-up per page of the dump finds it, even where most of it has
 * been overwritten since.
 */
import { LocateError } from '../errors.js';
import { relocateImage } from '../reloc/relative.js';
import { type RelocatableImage, relaPlaces, relrPlaces } from '../reloc/relative-place.js';

export const DUMP_PAGE = 4096;
const KEY_SIZE = 8;
/** Relocated words tried per image found: enough for their share to be right to a few percent. */
const SAMPLED = 4096;

export interface Fingerprint {
  /** By first word of a page: its second word, and where in the image it is. */
  readonly pages: ReadonlyMap<number, { readonly second: number; readonly offset: number }>;
  /** Relocated words: where they are from `_text`, and what they hold where the image was linked. */
  readonly moved: readonly { readonly place: number; readonly linked: bigint }[];
  /** Bytes of the image in its file. */
  readonly length: number;
}

/**
 * Takes the fingerprint of an image.
 * @throws LocateError NO_IMAGE if nothing in it can be told from other memory; RelocationError, ImageFormatError BAD_TABLE
 */
export function fingerprint(image: RelocatableImage): Fingerprint {
  const bytes = new Uint8Array(image.bytes);
  relocateImage({ ...image, bytes }, 0);
  const view = new DataView(bytes.buffer);
  const columns = [relaPlaces(image), relrPlaces(image)];
  const pages = keysOf(view, pagesChanged(columns));
  const moved = columns.flatMap(sample).map((place) => ({ place, linked: view.getBigUint64(place, true) }));
  if (pages.size === 0 || moved.length === 0) {
    throw new LocateError('NO_IMAGE', 'the image has no page that can be told from others in memory');
  }
  return { pages, moved, length: bytes.length };
}

/** Pages whose first bytes a relocation writes, be it from the end of the page before. */
function pagesChanged(columns: readonly Uint32Array[]): Set<number> {
  const changed = new Set<number>();
  for (const places of columns) {
    for (const place of places) {
      const page = Math.floor((place + KEY_SIZE - 1) / DUMP_PAGE) * DUMP_PAGE;
      if (place < page + KEY_SIZE) changed.add(page);
    }
  }
  return changed;
}

/** The pages that begin like no other of the image. */
function keysOf(view: DataView, changed: ReadonlySet<number>): Fingerprint['pages'] {
  const pages = new Map<number, { second: number; offset: number }>();
  const repeated = new Set<number>();
  for (let offset = 0; offset + KEY_SIZE <= view.byteLength; offset += DUMP_PAGE) {
    const first = view.getUint32(offset, true);
    const second = view.getUint32(offset + 4, true);
    // Small numbers and fill begin many a page that is not the kernel's.
    if (changed.has(offset) || first === second || first < DUMP_PAGE) continue;
    if (pages.has(first)) repeated.add(first);
    pages.set(first, { second, offset });
  }
  for (const first of repeated) pages.delete(first);
  return pages;
}

function sample(places: Uint32Array): number[] {
  const step = Math.max(1, places.length / SAMPLED);
  return Array.from({ length: Math.min(places.length, SAMPLED) }, (_, i) => places[Math.floor(i * step)]!);
}
