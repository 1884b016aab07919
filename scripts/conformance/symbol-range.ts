/** Where the object that a symbol names begins and ends, as offsets from `_text`: until the next symbol at a higher address. */
import type { Kernel } from '../../lib/image/kernel.js';

/** Half-open. */
export interface ImageRange {
  readonly start: number;
  readonly end: number;
}

/** All objects whose name matches; local names may stand several times. */
export function symbolRanges(kernel: Kernel, name: RegExp): ImageRange[] {
  const { names, addresses } = kernel.symbols();
  const ranges: ImageRange[] = [];
  names.forEach((candidate, i) => {
    if (!name.test(candidate)) return;
    const address = addresses[i]!;
    let next = i + 1;
    while (next < addresses.length && addresses[next] === address) next++;
    const end = addresses[next] ?? kernel.linkBase + kernel.imageSize;
    ranges.push({ start: address - kernel.linkBase, end: end - kernel.linkBase });
  });
  return ranges;
}

/**
 * Whether the kernel names its data: without CONFIG_KALLSYMS_ALL it names little more than functions.
 * boot_args is data of every arm64 kernel since 3.14, and exported by none.
 */
export function namesData(kernel: Kernel): boolean {
  return kernel.symbols().names.includes('boot_args');
}

/** `symbol+0x10` for an offset from `_text`. */
export function nameOffset(kernel: Kernel, offset: number): string {
  const { names, addresses } = kernel.symbols();
  let low = 0;
  let high = addresses.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (addresses[middle]! <= kernel.linkBase + offset) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return `_text+0x${offset.toString(16)}`;
  return `${names[low - 1]}+0x${(kernel.linkBase + offset - addresses[low - 1]!).toString(16)}`;
}
