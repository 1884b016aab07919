/**
 * How the base of the module region spreads over pages, seen from the image: the distribution behind kaslr/module-region.ts.
 */
import { type Histogram, HistogramBuilder } from './histogram.js';

/** Bases at `pages.length` consecutive pages; page i is reached in `pages[i]` of the equally likely cases. */
export interface BaseSpread {
  readonly pages: Uint32Array;
}

/** The rule of the eras up to 6.4, `base = (start + (range * r >> randomBits)) & PAGE_MASK`, in bytes. */
export interface ScaledBase {
  readonly start: number;
  readonly range: number;
  readonly pageSize: number;
  readonly randomBits: number;
}

/** Page of each r, from the first one's; exact for a range up to 2^48 and 21 bits. */
function* pagesOf({ start, range, pageSize, randomBits }: ScaledBase): Generator<number> {
  const values = 2 ** randomBits;
  // range * r needs up to 69 bits: the quotient and the rest of range / 2^randomBits are multiplied apart.
  const quotient = Math.floor(range / values);
  const rest = range % values;
  const fromPage = start - Math.floor(start / pageSize) * pageSize;
  for (let r = 0; r < values; r++) {
    yield Math.floor((fromPage + quotient * r + Math.floor((rest * r) / values)) / pageSize);
  }
}

/** The spread over pages near the image; `range` is at most a few GiB. */
export function scaledSpread(base: ScaledBase): BaseSpread {
  const pages = new Uint32Array(Math.floor((base.range + base.pageSize) / base.pageSize) + 1);
  let last = 0;
  for (const page of pagesOf(base)) {
    pages[page]!++;
    last = page;
  }
  return { pages: pages.subarray(0, last + 1) };
}

/** The counts alone, for a range of any size. */
export function scaledHistogram(base: ScaledBase): Histogram {
  const histogram = new HistogramBuilder();
  let current = 0;
  let cases = 0n;
  for (const page of pagesOf(base)) {
    if (page !== current) {
      histogram.add(cases);
      current = page;
      cases = 0n;
    }
    cases++;
  }
  return histogram.add(cases).build();
}

/** The spread of a box whose position is drawn evenly. */
export function evenSpread(count: number): BaseSpread {
  return { pages: new Uint32Array(count).fill(1) };
}

export function spreadHistogram({ pages }: BaseSpread): Histogram {
  const histogram = new HistogramBuilder();
  const counts = new Map<number, number>();
  for (const cases of pages) counts.set(cases, (counts.get(cases) ?? 0) + 1);
  for (const [cases, outcomes] of counts) histogram.add(BigInt(cases), BigInt(outcomes));
  return histogram.build();
}
