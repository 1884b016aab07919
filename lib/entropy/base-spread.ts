/**
 * How the base of the module region spreads over pages, seen from the image: the distribution behind kaslr/module-region.ts.
 */
import { type Histogram, HistogramBuilder } from './histogram.js';

/** Bases at `pages.length` consecutive pages; page i is reached in `pages[i]` of the equally likely cases. */
export interface BaseSpread {
  readonly pages: Uint32Array;
}

/** The rule of the eras up to 6.4, `base = (start + (range * r >> randomBits)) & PAGE_MASK`, in bytes below 2^48. */
export interface ScaledBase {
  readonly start: number;
  readonly range: number;
  readonly pageSize: number;
  readonly randomBits: number;
}

/**
 * Calls `visit` with the page of each value of r in turn, counted from the first one's. range * r would need 69 bits, so
 * quotient and rest of range / 2^randomBits are added up instead, as Bresenham does.
 */
function visitPages({ start, range, pageSize, randomBits }: ScaledBase, visit: (page: number) => void): void {
  const values = 2 ** randomBits;
  const step = Math.floor(range / values);
  const rest = range % values;
  let page = 0;
  let inPage = start - Math.floor(start / pageSize) * pageSize;
  let fraction = 0;
  for (let r = 0; r < values; r++) {
    visit(page);
    inPage += step;
    fraction += rest;
    if (fraction >= values) {
      fraction -= values;
      inPage++;
    }
    const pages = (inPage / pageSize) | 0;
    page += pages;
    inPage -= pages * pageSize;
  }
}

/** The spread over pages near the image; `range` is at most a few GiB. */
export function scaledSpread(base: ScaledBase): BaseSpread {
  const pages = new Uint32Array(Math.floor(base.range / base.pageSize) + 2);
  let last = 0;
  visitPages(base, (page) => {
    pages[page]!++;
    last = page;
  });
  return { pages: pages.subarray(0, last + 1) };
}

/** The counts alone, for a range of any size. */
export function scaledHistogram(base: ScaledBase): Histogram {
  const counts = new Map<number, number>();
  let current = 0;
  let cases = 0;
  const close = (): void => void counts.set(cases, (counts.get(cases) ?? 0) + 1);
  visitPages(base, (page) => {
    if (page !== current) {
      close();
      current = page;
      cases = 0;
    }
    cases++;
  });
  close();
  return histogramOf(counts);
}

/** The spread of a box whose position is drawn evenly. */
export function evenSpread(count: number): BaseSpread {
  return { pages: new Uint32Array(count).fill(1) };
}

export function spreadHistogram({ pages }: BaseSpread): Histogram {
  const counts = new Map<number, number>();
  for (const cases of pages) counts.set(cases, (counts.get(cases) ?? 0) + 1);
  return histogramOf(counts);
}

/** From outcomes by their number of cases. */
function histogramOf(counts: ReadonlyMap<number, number>): Histogram {
  const histogram = new HistogramBuilder();
  for (const [cases, outcomes] of counts) histogram.add(BigInt(cases), BigInt(outcomes));
  return histogram.build();
}
