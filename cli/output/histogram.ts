/** A histogram in text: a line for each of a few equal ranges of the value, its bar as long as the range is likely. */
import { formatCount } from './print.js';

const ROWS = 12;
const BAR = 40;

/** @param weights values, ascending, and their weights; @returns no text for a single value, which needs no picture */
export function formatHistogram(weights: readonly (readonly [value: number, weight: number])[]): string {
  const [first, last] = [weights[0]?.[0] ?? 0, weights.at(-1)?.[0] ?? 0];
  if (first === last) return '';
  const width = Math.max(Math.ceil((last - first + 1) / ROWS), 1);
  const bins = new Array<number>(Math.ceil((last - first + 1) / width)).fill(0);
  for (const [value, weight] of weights) bins[Math.floor((value - first) / width)]! += weight;
  const total = bins.reduce((sum, weight) => sum + weight, 0);
  const highest = Math.max(...bins);
  const labels = bins.map((_, bin) => {
    const from = first + bin * width;
    const to = Math.min(from + width - 1, last);
    return from === to ? formatCount(from) : `${formatCount(from)}-${formatCount(to)}`;
  });
  const column = Math.max(...labels.map((label) => label.length));
  return bins
    .map((weight, bin) => {
      const bar = '█'.repeat(Math.round((weight / highest) * BAR));
      const share = `${((100 * weight) / total).toFixed(2)}%`;
      return `${labels[bin]!.padStart(column)} ${share.padStart(7)} ${bar}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
}
