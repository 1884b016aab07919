/** Standard output: one JSON document, or text for a person. */

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 1)}\n`);
}

/** Text from a file with control characters as `\xNN`: a terminal obeys the escape sequences of a symbol's name. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** `name  value` lines, values in one column. */
export function printFields(fields: readonly (readonly [string, string])[]): void {
  const width = Math.max(...fields.map(([name]) => name.length));
  process.stdout.write(fields.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join(''));
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size in the largest binary unit that keeps it at 1 or more, with at most one decimal. */
export function formatSize(bytes: number): string {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 2 ** (10 * unit);
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

export const formatCount = (count: number): string => count.toLocaleString('en-US');
