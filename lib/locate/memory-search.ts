/**
 * Finds a running image in physical memory and reads from its relocated words how far it moved.
 *
 * Pages vote for where the image begins; what many pages agree on is then judged by the words that relocations change:
 * in the running kernel they all are off by the same distance. Copies of the file (in the page cache, loaded for kexec)
 * win the first vote as well, but have not moved.
 */
import { LocateError } from '../errors.js';
import { DUMP_PAGE, type Fingerprint } from './fingerprint.js';
import { type MemoryDump, type MemoryRange, memoryRanges } from './memory-dump.js';

/** Bytes read at a time, a multiple of the page. */
const CHUNK = 8 * 2 ** 20;
/** Pages that must agree before a place is looked at: a page cache scatters an image over thousands of places. */
const VOTES = 3;
/** Places kept during the search; the lonely ones are dropped beyond that. */
const PLACES_LIMIT = 2 ** 16;
const JUDGED_LIMIT = 32;
const OFFSET_LIMIT = 2n ** 52n;
/** Boots of Debian kernels left 68 to 81 in 100 relocated words as they were; init memory makes up most of the rest. */
const LEAST_SHARE = 1 / 4;

export interface FoundImage {
  /** Where in the file the image begins, unless that is before the dump does; its physical address, where the dump says. */
  readonly position?: number;
  readonly phys?: bigint;
  /** Run address minus link address. */
  readonly offset: number;
  /** Pages found unchanged, of those that can be told from others. */
  readonly pages: { readonly found: number; readonly of: number };
  /** Relocated words that are off by `offset`, of those tried. */
  readonly words: { readonly found: number; readonly of: number };
}

interface Candidate {
  readonly range: MemoryRange;
  readonly start: number;
  votes: number;
}

/**
 * Searches a dump for an image.
 * @param progress called with the bytes done so far
 * @returns every place where it stands, the running one first: those that moved before those that did not, then by words found
 * @throws LocateError NO_IMAGE if it stands nowhere, BAD_DUMP
 */
export function findImages(dump: MemoryDump, print: Fingerprint, progress?: (done: number) => void): FoundImage[] {
  const candidates = memoryRanges(dump).flatMap((range) => candidatesIn(dump, range, print, progress));
  const images = candidates
    .sort((a, b) => b.votes - a.votes)
    .slice(0, JUDGED_LIMIT)
    .flatMap((candidate) => judge(dump, candidate, print));
  if (images.length === 0) {
    throw new LocateError('NO_IMAGE', 'the kernel is not in this memory: another build, or none of its pages are left');
  }
  return images.sort((a, b) => Number(b.offset !== 0) - Number(a.offset !== 0) || b.words.found - a.words.found);
}

function candidatesIn(
  dump: MemoryDump,
  range: MemoryRange,
  { pages }: Fingerprint,
  progress: ((done: number) => void) | undefined,
): Candidate[] {
  let places = new Map<number, Candidate>();
  for (let done = 0; done < range.length; done += CHUNK) {
    const chunk = words(dump.read(range.position + done, Math.min(CHUNK, range.length - done)));
    for (let at = 0; at + 1 < chunk.length; at += DUMP_PAGE / 4) {
      const page = pages.get(chunk[at]!);
      if (page === undefined || page.second !== chunk[at + 1]) continue;
      const start = done + at * 4 - page.offset;
      const known = places.get(start);
      if (known) known.votes++;
      else places.set(start, { range, start, votes: 1 });
    }
    for (let least = 2; places.size > PLACES_LIMIT; least++) {
      places = new Map([...places].filter(([, { votes }]) => votes >= least));
    }
    progress?.(range.position + Math.min(done + CHUNK, range.length));
  }
  const enough = Math.min(VOTES, pages.size);
  return [...places.values()].filter(({ votes }) => votes >= enough);
}

/** 32-bit words, copied where the buffer does not begin at one. */
function words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
}

/** What the relocated words say; none where no distance has the most of them. An image may begin before the dump does. */
function judge(dump: MemoryDump, { range, start, votes }: Candidate, print: Fingerprint): FoundImage[] {
  const from = Math.max(start, 0);
  const length = Math.min(start + print.length, range.length) - from;
  const bytes = dump.read(range.position + from, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const distances = new Map<bigint, number>();
  let tried = 0;
  for (const { place, linked } of print.moved) {
    const at = place + start - from;
    if (at < 0 || at + 8 > bytes.length) continue;
    tried++;
    const distance = BigInt.asUintN(64, view.getBigUint64(at, true) - linked);
    distances.set(distance, (distances.get(distance) ?? 0) + 1);
  }
  const [best] = [...distances].sort(([, a], [, b]) => b - a);
  if (!best || best[1] < tried * LEAST_SHARE || best[0] >= OFFSET_LIMIT || best[0] % BigInt(DUMP_PAGE) !== 0n)
    return [];
  return [
    {
      ...(start >= 0 && { position: range.position + start }),
      ...(range.phys !== undefined && { phys: range.phys + BigInt(start) }),
      offset: Number(best[0]),
      pages: { found: votes, of: print.pages.size },
      words: { found: best[1], of: tried },
    },
  ];
}
