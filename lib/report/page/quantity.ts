/** Numbers as a person reads them. */

/** One for all: making one for each number, as toLocaleString does, takes most of the time of a page with thousands of them. */
const NUMBERS = new Intl.NumberFormat('en-US');

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size in the largest binary unit that keeps it at 1 or more, with at most two decimals. */
export function formatSize(bytes: number): string {
  const unit = Math.min(Math.max(0, Math.floor(Math.log2(Math.max(Math.abs(bytes), 1)) / 10)), UNITS.length - 1);
  const value = bytes / 2 ** (10 * unit);
  return `${NUMBERS.format(Number(value.toFixed(2)))} ${UNITS[unit]}`;
}

export const formatCount = (count: number): string => NUMBERS.format(count);

/** A share of 1 in percent; what is not 0 never reads as 0. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.0001) return '< 0.01 %';
  return `${Number((share * 100).toFixed(2))} %`;
}

/** A distance with its sign, as in `_text - 0x1f000`. */
export function formatOffset(offset: number): string {
  return `${offset < 0 ? '-' : '+'}0x${Math.abs(offset).toString(16)}`;
}
