/**
 * First-fit allocation as vmalloc does it: the lowest hole that takes the size and one guard page behind it.
 *
 * Holes are kept, not blocks: a boot has tens of thousands of blocks but, whatever init memory is freed, a handful of holes.
 * @see Linux 6.12 mm/vmalloc.c, __get_vm_area_node(); arch/arm64/kernel/module.c, module_alloc() up to 6.9; mm/execmem.c after
 */
import { type Va, va } from '../address.js';
import { alignDown, alignUp } from '../bits.js';

interface Hole {
  start: number;
  end: number;
}

interface Range {
  readonly base: number;
  readonly end: number;
}

export class AddressSpace {
  readonly pageSize: number;
  readonly #holes: Hole[];

  /** @param range `[start, end)` that nothing occupies yet, page aligned */
  constructor(range: { readonly start: number; readonly end: number }, pageSize: number) {
    this.pageSize = pageSize;
    this.#holes = range.end > range.start ? [{ start: range.start, end: range.end }] : [];
  }

  /** The space that the regions lie in, which the allocator tries in turn, less what the image takes. */
  static ofRegions(
    regions: readonly Range[],
    image: { readonly start: number; readonly end: number },
    pageSize: number,
  ): AddressSpace {
    const start = Math.min(...regions.map(({ base }) => base));
    const space = new AddressSpace({ start, end: Math.max(...regions.map(({ end }) => end)) }, pageSize);
    space.reserve(image);
    return space;
  }

  /** Takes `[start, end)` rounded out to pages, whatever is left of it. */
  reserve(range: { readonly start: number; readonly end: number }): void {
    this.#cut(alignDown(range.start, this.pageSize), alignUp(range.end, this.pageSize));
  }

  /** The lowest address in `within` that takes `size` bytes and a guard page; undefined if none does. */
  allocate(size: number, within: Range): Va | undefined {
    const needed = this.#footprint(size);
    for (const hole of this.#holes) {
      if (hole.start >= within.end) break;
      const start = alignUp(Math.max(hole.start, within.base), this.pageSize);
      if (start + needed > Math.min(hole.end, within.end)) continue;
      this.#cut(start, start + needed);
      return va(start);
    }
    return undefined;
  }

  /** `allocate` in the first of the regions that has room. */
  allocateIn(regions: readonly Range[], size: number): Va | undefined {
    for (const within of regions) {
      const address = this.allocate(size, within);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** Gives back what `allocate` gave for `size` bytes. */
  free(address: Va, size: number): void {
    const end = address + this.#footprint(size);
    const next = this.#holes.findIndex((hole) => hole.start >= end);
    const at = next < 0 ? this.#holes.length : next;
    const before = this.#holes[at - 1];
    const after = this.#holes[at];
    const joinsBefore = before?.end === address;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#holes.splice(at, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = address;
    else this.#holes.splice(at, 0, { start: address, end });
  }

  /** Bytes of the largest hole inside `within`, what an error about exhaustion wants to know. */
  largestHole(within: Range): number {
    const sizes = this.#holes.map((hole) => Math.min(hole.end, within.end) - Math.max(hole.start, within.base));
    return Math.max(0, ...sizes);
  }

  #footprint(size: number): number {
    return alignUp(size, this.pageSize) + this.pageSize;
  }

  #cut(start: number, end: number): void {
    for (let i = 0; i < this.#holes.length; i++) {
      const hole = this.#holes[i]!;
      if (hole.end <= start) continue;
      if (hole.start >= end) return;
      const rest = [
        { start: hole.start, end: start },
        { start: end, end: hole.end },
      ].filter((piece) => piece.end > piece.start);
      if (rest.length === 1) this.#holes[i] = rest[0]!;
      else this.#holes.splice(i, 1, ...rest);
      i += rest.length - 1;
    }
  }
}
