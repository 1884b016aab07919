/**
 * The kernel's exports (`__ksymtab`, `__ksymtab_gpl`), found in an image without symbols: EXPORT_SYMBOL'd data is in no
 * kallsyms up to 6.1, yet modules refer to it.
 *
 * Each array is sorted by name, so the exports are the longest run of entries with ascending names, and the arrays that
 * touch it. From 6.1 the strings are tail-merged: a name need not follow a NUL.
 */
import type { Va } from '../address.js';
import { va } from '../address.js';

/** How an entry of struct kernel_symbol is laid out; both fields yield an image offset, or a negative number. */
interface EntryFormat {
  readonly size: number;
  readonly value: (image: DataView, at: number, linkBase: number) => number;
  readonly name: (image: DataView, at: number, linkBase: number) => number;
}

const relative = (image: DataView, at: number): number => at + image.getInt32(at, true);
const absolute = (image: DataView, at: number, linkBase: number): number =>
  image.getInt32(at + 4, true) * 2 ** 32 + image.getUint32(at, true) - linkBase;

/** Newest first. */
const FORMATS: readonly EntryFormat[] = [
  // 5.4 and later: three PREL32 fields, value, name, namespace.
  { size: 12, value: relative, name: (image, at) => relative(image, at + 4) },
  // 4.19 to 5.3: without the namespace.
  { size: 8, value: relative, name: (image, at) => relative(image, at + 4) },
  // Before: two pointers.
  { size: 16, value: absolute, name: (image, at, linkBase) => absolute(image, at + 8, linkBase) },
];

interface Export {
  readonly name: string;
  readonly value: number;
}

/** A run of entries shorter than this is taken for chance; the smallest kernels export hundreds of names. */
const SHORTEST_RUN = 8;
const NAME_LIMIT = 512;
/**
 * Bytes of names that are read for each byte of the image: Linux needs under 1/20. Thousands of entries that all have one long
 * name would take gigabytes.
 */
const NAME_EFFORT = 4;
const IDENTIFIER = /^[A-Za-z_.$][A-Za-z0-9_.$]*$/;

/**
 * All exports by name, at link addresses. A name that stands twice is the one the kernel's binary search finds.
 * @param image from `_text` on, relocated to its link address
 * @param imageSize `_end - _text`: exported variables lie in .bss too
 */
export function findExports(image: Uint8Array, linkBase: Va, imageSize: number): Map<string, Va> {
  const search = new ExportSearch(image, linkBase, imageSize);
  const exports = new Map<string, Va>();
  for (const array of search.arrays()) {
    for (const { name } of array) {
      if (!exports.has(name)) exports.set(name, va(linkBase + binarySearch(array, name)!.value));
    }
  }
  return exports;
}

/** The kernel's bsearch() (lib/bsearch.c): with equal names, where it halves decides which is found. */
function binarySearch(array: readonly Export[], name: string): Export | undefined {
  let start = 0;
  for (let count = array.length; count > 0; count = Math.floor(count / 2)) {
    const pivot = start + Math.floor(count / 2);
    const found = array[pivot]!;
    if (found.name === name) return found;
    if (name > found.name) {
      start = pivot + 1;
      count--;
    }
  }
  return undefined;
}

class ExportSearch {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #effort: number;

  constructor(
    image: Uint8Array,
    readonly linkBase: number,
    readonly imageSize: number,
  ) {
    this.#bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
    this.#view = new DataView(image.buffer, image.byteOffset, image.length);
    this.#effort = image.length * NAME_EFFORT;
  }

  /** The arrays in the order the kernel searches them, which is their order in memory. */
  arrays(): Export[][] {
    for (const format of FORMATS) {
      const longest = this.#longestRun(format);
      if (longest) return this.#touching(format, longest);
    }
    return [];
  }

  #longestRun(format: EntryFormat): { at: number; count: number } | undefined {
    let best = { at: 0, count: SHORTEST_RUN - 1 };
    const step = format.size === 16 ? 8 : 4;
    // Runs of each phase are followed to their end once.
    const skipUntil = new Array<number>(format.size / step).fill(0);
    for (
      let at = 0, phase = 0;
      at + format.size <= this.#bytes.length;
      at += step, phase = (phase + 1) % skipUntil.length
    ) {
      if (at < skipUntil[phase]! || !this.#isPlausible(format, at) || !this.#isPlausible(format, at + format.size))
        continue;
      const count = this.#run(format, at).length;
      skipUntil[phase] = at + Math.max(count, 1) * format.size;
      if (count > best.count) best = { at, count };
    }
    return best.count >= SHORTEST_RUN ? best : undefined;
  }

  /** Every array from the first entry that touches the longest to the last. */
  #touching(format: EntryFormat, { at }: { at: number }): Export[][] {
    let start = at;
    while (this.#entry(format, start - format.size)) start -= format.size;
    const arrays: Export[][] = [];
    for (let run = this.#run(format, start); run.length > 0; run = this.#run(format, start)) {
      arrays.push(run);
      start += run.length * format.size;
    }
    return arrays;
  }

  /** Entries from `at` on with names that do not descend. */
  #run(format: EntryFormat, at: number): Export[] {
    const entries: Export[] = [];
    for (let entry = this.#entry(format, at); entry; entry = this.#entry(format, at + entries.length * format.size)) {
      if (entries.length > 0 && entry.name < entries.at(-1)!.name) break;
      entries.push(entry);
    }
    return entries;
  }

  #isPlausible(format: EntryFormat, at: number): boolean {
    if (at < 0 || at + format.size > this.#bytes.length) return false;
    const name = format.name(this.#view, at, this.linkBase);
    if (name <= 0 || name >= this.#bytes.length) return false;
    const value = format.value(this.#view, at, this.linkBase);
    return value >= 0 && value < this.imageSize && value !== name;
  }

  #entry(format: EntryFormat, at: number): Export | undefined {
    if (!this.#isPlausible(format, at)) return undefined;
    const start = format.name(this.#view, at, this.linkBase);
    const end = this.#bytes.subarray(start, start + NAME_LIMIT).indexOf(0);
    this.#effort -= end;
    if (end <= 0 || this.#effort < 0) return undefined;
    const name = this.#bytes.toString('latin1', start, start + end);
    return IDENTIFIER.test(name) ? { name, value: format.value(this.#view, at, this.linkBase) } : undefined;
  }
}
