/** A log as lines; a journal may be larger than one string can be. */
import { readInput } from './input.js';
import { UsageError } from './output/error.js';

/** Longer lines are cut: nothing a kernel says is as long, and a file without line ends must not become one string. */
const LINE_LIMIT = 8192;

/** How much of a file tells whether it is text. */
const SAMPLE_SIZE = 2 ** 20;
/**
 * A serial line that is switched on or breaks leaves some NULs, in a log of any length; arm64 code has 10 in 100 bytes, memory and
 * UTF-16 about 50.
 */
const STRAY_NULS = 64;
const STRAY_SHARE = 1 / 100;

/** Kernel images and memory dumps hold the very format strings of the lines sought, and would be read as a boot without KASLR. */
function requireText(bytes: Uint8Array): void {
  const sample = bytes.subarray(0, SAMPLE_SIZE);
  let nuls = 0;
  for (let at = sample.indexOf(0); at >= 0; at = sample.indexOf(0, at + 1)) nuls++;
  if (nuls > Math.max(STRAY_NULS, sample.length * STRAY_SHARE)) {
    throw new UsageError(
      `is not a text log: ${nuls} of its first ${sample.length} bytes are NUL (--memory reads dumps; UTF-16 must be converted)`,
    );
  }
}

/**
 * Lines without their ends. Bytes beyond ASCII come out as any character: none matters.
 * @throws UsageError for what is no text
 */
export function* readLines(file: string): Generator<string> {
  const bytes = readInput(file);
  requireText(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start < buffer.length; ) {
    const newline = buffer.indexOf('\n', start);
    const end = newline < 0 ? buffer.length : newline;
    yield buffer.toString('latin1', start, Math.min(end, start + LINE_LIMIT)).replace(/\r$/, '');
    start = end + 1;
  }
}
