/**
 * Finds the relocation tables of a raw Image, which has no section headers: RELA is the longest run of RELATIVE records,
 * RELR the run of words whose places all hold addresses of this very image.
 */
import { alignDown } from '../bits.js';
import { R_INFO_RELATIVE } from '../reloc/relative-place.js';

const TWO_32 = 2 ** 32;
const RELA_WORDS = 6;
/** KIMAGE_VADDR is MODULES_END, and every layout puts 128 MiB or 2 GiB of modules below it. */
const LINK_ALIGN = 128 * 2 ** 20;

interface Search {
  /** The image twice: by aligned words, and by bytes for places at any offset. */
  readonly words: Uint32Array;
  readonly bytes: DataView;
  readonly imageSize: number;
  readonly textOffset: number;
}

export interface FoundTables {
  readonly linkBase: number;
  readonly rela: { readonly offset: number; readonly count: number };
  readonly relr: { readonly offset: number; readonly words: number; readonly count: number };
  /** How far the image has been relocated already, as a memory dump or an output of `relocate` has; 0 as it was built. */
  readonly movedBy: number;
}

const NONE = { offset: 0, count: 0 } as const;
const NO_RELR = { offset: 0, words: 0, count: 0 } as const;

/** The signed 64-bit value at 32-bit word `at`; rounded if it is no address, which no caller takes for one. */
function valueAt(words: Uint32Array, at: number): number {
  return (words[at + 1]! | 0) * TWO_32 + words[at]!;
}

/** The link base of an image that holds `address`; undefined if no kernel is linked there. */
function linkBaseOf(address: number, { textOffset }: Search): number | undefined {
  const base = alignDown(address, LINK_ALIGN) + textOffset;
  return address < 0 && address >= -(2 ** 52) && address >= base ? base : undefined;
}

/**
 * Searches an image for its tables.
 * @param image from `_text` on, at an 8-byte aligned buffer offset
 * @returns undefined if it has neither, as a kernel built without CONFIG_RELOCATABLE
 */
export function findRelocationTables(
  image: Uint8Array,
  header: { readonly imageSize: number; readonly textOffset: number },
): FoundTables | undefined {
  const words = new Uint32Array(image.buffer, image.byteOffset, (image.length >> 3) * 2);
  const search = { words, bytes: new DataView(image.buffer, image.byteOffset, image.length), ...header };
  const rela = findRela(search);
  const movedBy = rela ? findMove(search, rela) : 0;
  // A linker packs nearly all places or none, so the smaller of the two tables is the leftover or no table at all.
  const packed = findRelr(search, rela, movedBy);
  const relr = packed && packed.table.count > (rela?.table.count ?? 0) ? packed : undefined;
  const linkBase = rela?.linkBase ?? relr?.linkBase;
  if (linkBase === undefined) return undefined;
  return { linkBase, rela: rela?.table ?? NONE, relr: relr?.table ?? NO_RELR, movedBy };
}

/** What the RELATIVE places hold beyond their addends, if all agree: places are zero, or hold the addend, until the image has moved. */
function findMove(search: Search, { linkBase, table }: RelaRun): number {
  const { words } = search;
  let move: number | undefined;
  for (let i = 0; i < table.count; i++) {
    const record = table.offset / 4 + i * RELA_WORDS;
    const held = heldAt(search, valueAt(words, record) - linkBase);
    const distance = (held ?? 0) - valueAt(words, record + 4);
    if (!held || (move !== undefined && distance !== move)) return 0;
    move = distance;
  }
  return move !== undefined && linkBase + move < 0 && linkBase + move >= -(2 ** 52) ? move : 0;
}

interface RelaRun {
  readonly linkBase: number;
  readonly table: { offset: number; count: number };
}

function findRela(search: Search): RelaRun | undefined {
  const { words } = search;
  let best: RelaRun | undefined;
  // r_info is the second of a record's three 64-bit values.
  for (let info = 2; info + 3 < words.length; info += 2) {
    if (!isRelative(words, info) || (info >= RELA_WORDS + 2 && isRelative(words, info - RELA_WORDS))) continue;
    const run = measureRela(search, info - 2);
    if (run && run.table.count > (best?.table.count ?? 0)) best = run;
  }
  return best;
}

const isRelative = (words: Uint32Array, info: number): boolean =>
  words[info] === R_INFO_RELATIVE && words[info + 1] === 0;

/** The run of records from word `start`; undefined if their places do not fit one image, as a lone 0x403 in a string table. */
function measureRela(search: Search, start: number): RelaRun | undefined {
  const { words, imageSize } = search;
  let count = 0;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let r = start; r + RELA_WORDS <= words.length && isRelative(words, r + 2); r += RELA_WORDS) {
    const place = valueAt(words, r);
    lowest = Math.min(lowest, place);
    highest = Math.max(highest, place);
    count++;
  }
  const linkBase = linkBaseOf(lowest, search);
  if (linkBase === undefined || highest > linkBase + imageSize - 8) return undefined;
  return { linkBase, table: { offset: start * 4, count } };
}

interface RelrRun {
  readonly linkBase: number;
  readonly table: { offset: number; words: number; count: number };
}

function findRelr(search: Search, rela: RelaRun | undefined, movedBy: number): RelrRun | undefined {
  const { words } = search;
  // An addend is an address too, and the RELR table may follow right behind the last one.
  const skipFrom = (rela?.table.offset ?? 0) / 4;
  const skipTo = skipFrom + (rela?.table.count ?? 0) * RELA_WORDS;
  let best: RelrRun | undefined;
  for (let at = 0; at + 1 < words.length; ) {
    if (at >= skipFrom && at < skipTo) {
      at = skipTo;
      continue;
    }
    // A table begins with an address: negative, even.
    if ((words[at]! & 1) !== 0 || words[at + 1]! < 0xfff00000) {
      at += 2;
      continue;
    }
    const { run, next } = measureRelr(search, at, { knownBase: rela?.linkBase, movedBy });
    if (run && run.table.count > (best?.table.count ?? 0)) best = run;
    at = next;
  }
  return best;
}

/**
 * The run of RELR words from word `start`: addresses of the image in ascending order, and bitmaps that stay inside it.
 * Its end is cut back to the last word whose places all hold addresses, as data behind the table may pass for bitmaps.
 */
function measureRelr(
  search: Search,
  start: number,
  { knownBase, movedBy }: { knownBase: number | undefined; movedBy: number },
): { run?: RelrRun; next: number } {
  const { words, imageSize } = search;
  const linkBase = knownBase ?? linkBaseOf(valueAt(words, start), search);
  if (linkBase === undefined) return { next: start + 2 };
  const first = valueAt(words, start) - linkBase;
  const base = linkBase + movedBy;
  if (!holdsAddress(search, base, first)) return { next: start + 2 };
  let cursor = 0;
  // Addresses ascend from the last place, not from the cursor: one at another alignment may lie among a bitmap's words.
  let last = -1;
  let count = 0;
  let holding = 0;
  let end = start;
  let countAtEnd = 0;
  let holdingAtEnd = 0;
  let at = start;
  for (; at + 1 < words.length; at += 2) {
    const low = words[at]!;
    let named = 0;
    let held = 0;
    if ((low & 1) === 0) {
      cursor = valueAt(words, at) - linkBase;
      if (cursor <= last || cursor > imageSize - 8) break;
      last = cursor;
      named = 1;
      held = holdsAddress(search, base, cursor) ? 1 : 0;
      cursor += 8;
    } else {
      for (let bit = 1; bit < 64; bit++) {
        if ((bit < 32 ? low >>> bit : words[at + 1]! >>> (bit - 32)) % 2 === 0) continue;
        last = cursor + (bit - 1) * 8;
        named++;
        if (holdsAddress(search, base, last)) held++;
      }
      if (last > imageSize - 8) break;
      cursor += 63 * 8;
    }
    count += named;
    holding += held;
    if (named !== held) continue;
    end = at + 2;
    countAtEnd = count;
    holdingAtEnd = holding;
  }
  // In real tables under one place in a thousand holds no address; runs of pointers that merely look like a table mostly do.
  if (end === start || holdingAtEnd < countAtEnd * 0.9) return { next: at };
  return { run: { linkBase, table: { offset: start * 4, words: (end - start) / 2, count: countAtEnd } }, next: at };
}

/** Whether a place holds what a link editor leaves there: an address of the image, or near it as an array's limit is. */
function holdsAddress(search: Search, base: number, place: number): boolean {
  const distance = (heldAt(search, place) ?? Number.NaN) - base;
  return distance >= -search.imageSize && distance <= 2 * search.imageSize;
}

/** The signed 64-bit value at byte `place`; undefined outside the file. */
function heldAt({ bytes }: Search, place: number): number | undefined {
  if (place < 0 || place + 8 > bytes.byteLength) return undefined;
  return bytes.getInt32(place + 4, true) * TWO_32 + bytes.getUint32(place, true);
}
