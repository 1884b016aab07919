/** First fit over one flag a page: the slow and obvious judge of AddressSpace. */

const FREE = 0;
const TAKEN = 1;

export class PageBitmap {
  readonly #pages: Uint8Array;

  /** Pages are numbered from `start`, a multiple of the page size. */
  constructor(
    readonly start: number,
    readonly count: number,
    readonly pageSize: number,
  ) {
    this.#pages = new Uint8Array(count);
  }

  #isFree(first: number, count: number): boolean {
    if (first < 0 || first + count > this.count) return false;
    return this.#pages.subarray(first, first + count).every((page) => page === FREE);
  }

  /** Marks every page that `[start, end)` touches. */
  reserve(start: number, end: number): void {
    for (let page = 0; page < this.count; page++) {
      const address = this.start + page * this.pageSize;
      if (address + this.pageSize > start && address < end) this.#pages[page] = TAKEN;
    }
  }

  /** The lowest address from `base` on whose pages, and the one behind them, are free and below `end`. */
  allocate(size: number, { base, end }: { base: number; end: number }): number | undefined {
    const needed = Math.ceil(size / this.pageSize) + 1;
    for (let page = 0; page < this.count; page++) {
      const address = this.start + page * this.pageSize;
      if (address < base || address + needed * this.pageSize > end || !this.#isFree(page, needed)) continue;
      this.#pages.fill(TAKEN, page, page + needed);
      return address;
    }
    return undefined;
  }

  free(address: number, size: number): void {
    const first = (address - this.start) / this.pageSize;
    this.#pages.fill(FREE, first, first + Math.ceil(size / this.pageSize) + 1);
  }

  /** Bytes of the longest run of free pages that lie in `[base, end)` as a whole. */
  largestHole({ base, end }: { base: number; end: number }): number {
    let longest = 0;
    for (let page = 0, run = 0; page < this.count; page++) {
      const address = this.start + page * this.pageSize;
      const inside = address >= base && address + this.pageSize <= end;
      run = inside && this.#isFree(page, 1) ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    return longest * this.pageSize;
  }
}
