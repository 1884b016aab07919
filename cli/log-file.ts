/** A log as lines; a journal may be larger than one string can be. */
import { readInput } from './input.js';

/** Longer lines are cut: nothing a kernel says is as long, and a file without line ends must not become one string. */
const LINE_LIMIT = 8192;

/** Lines without their ends. Bytes beyond ASCII come out as any character: none matters. */
export function* readLines(file: string): Generator<string> {
  const bytes = readInput(file);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start < buffer.length; ) {
    const newline = buffer.indexOf('\n', start);
    const end = newline < 0 ? buffer.length : newline;
    yield buffer.toString('latin1', start, Math.min(end, start + LINE_LIMIT)).replace(/\r$/, '');
    start = end + 1;
  }
}
