/** What is left to guess, as rows: what is known, what is sought. */
import type { Entropy, Uncertainty } from '../entropy/entropy.js';
import type { EntropyRow } from './report-data.js';

export function entropyRows({ regions, leak }: Entropy): EntropyRow[] {
  const { kernelPointer, modulePointer, linearMapPointer } = leak;
  const cases: readonly (readonly [string, string, Uncertainty | undefined])[] = [
    ['nothing', 'kernel', regions.kernel],
    ['nothing', 'modules', regions.modules],
    ['nothing', 'linear map', regions.linearMap],
    ['a kernel pointer', 'modules', kernelPointer.modules],
    ['a kernel pointer', 'linear map', kernelPointer.linearMap],
    ['a module pointer', 'kernel', modulePointer.kernel],
    ['a module pointer', 'linear map', modulePointer.linearMap],
    ['a linear map pointer', 'kernel', linearMapPointer?.kernel],
    ['a linear map pointer', 'modules', linearMapPointer?.modules],
  ];
  return cases.flatMap(([known, unknown, left]) =>
    left ? [{ known, unknown, slots: left.slots, bits: Math.round(left.bits * 1000) / 1000 }] : [],
  );
}
