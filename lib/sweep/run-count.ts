/**
 * How many PLT entries a changing set of rows needs: an entry serves neighbours with the same id, so that a row which comes or
 * goes also decides whether the rows around it meet.
 */
import type { SlotCount } from './slot-count.js';

export class RunCount {
  readonly #ids: ArrayLike<number>;
  readonly #parts: ArrayLike<number>;
  readonly #slots: readonly [SlotCount, SlotCount];
  readonly #present: Uint32Array;
  /** Without two rows of one id, a row is an entry, and neighbours need not be looked for. */
  readonly #isShared: boolean;
  readonly #entries: [number, number] = [0, 0];

  /** Starts with no row present. */
  constructor(
    rows: { readonly ids: ArrayLike<number>; readonly parts: ArrayLike<number> },
    slots: readonly [SlotCount, SlotCount],
  ) {
    this.#ids = rows.ids;
    this.#parts = rows.parts;
    this.#slots = slots;
    this.#present = new Uint32Array(Math.ceil(rows.ids.length / 32));
    this.#isShared = new Set(Array.from(rows.ids)).size < rows.ids.length;
  }

  /** The kernel's counters of both PLTs together. */
  get used(): number {
    return this.#slots[0](this.#entries[0]) + this.#slots[1](this.#entries[1]);
  }

  /** Puts a row in, or takes it out. */
  toggle(row: number): void {
    const word = row >>> 5;
    const bit = 1 << (row & 31);
    const step = this.#present[word]! & bit ? -1 : 1;
    this.#present[word]! ^= bit;
    const part = this.#parts[row] === 0 ? 0 : 1;
    this.#entries[part] += step * (this.#isShared ? this.#runsAdded(row) : 1);
  }

  /** Runs that a row adds between its neighbours: itself, unless it continues one; one more if it cuts another in two. */
  #runsAdded(row: number): number {
    const id = this.#ids[row];
    const before = this.#idBefore(row);
    const after = this.#idAfter(row);
    return 1 - Number(before === id) - Number(after === id) + Number(before !== undefined && before === after);
  }

  #idBefore(row: number): number | undefined {
    let word = row >>> 5;
    let bits = this.#present[word]! & ((1 << (row & 31)) - 1);
    while (bits === 0 && word > 0) bits = this.#present[--word]!;
    return bits === 0 ? undefined : this.#ids[word * 32 + 31 - Math.clz32(bits)];
  }

  #idAfter(row: number): number | undefined {
    let word = row >>> 5;
    // A shift by 32 would be one by 0.
    let bits = this.#present[word]! & (-2 << (row & 31));
    while (bits === 0 && word < this.#present.length - 1) bits = this.#present[++word]!;
    return bits === 0 ? undefined : this.#ids[word * 32 + 31 - Math.clz32(bits & -bits)];
  }
}
