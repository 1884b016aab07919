/**
 * The image in memory at __primary_switched, when it has just relocated itself, against `relocateImage`.
 *
 * Word by word. A word that differs must be one of early-write.ts's rows; anything else is a mismatch.
 */
import { formatU64 } from '../../lib/address.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import type { BootFacts } from './boot-facts.js';
import { type Check, CheckBuilder } from './check.js';
import { type ChangedWord, EARLY_WRITES } from './early-write.js';
import { type ImageRange, nameOffset } from './symbol-range.js';

const WORD = 8;

/** What kaslrkit says the image holds. */
export function expectedImage({ kernel, placement }: BootFacts): Uint8Array {
  const image = kernel.relocatable();
  relocateImage(image, placement.offset);
  return image.bytes;
}

/** Whole 64-bit words, the last one filled up with zeros. */
function words(bytes: Uint8Array): BigUint64Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / WORD) * WORD);
  whole.set(bytes);
  return new BigUint64Array(whole.buffer);
}

/**
 * @param expected as `expectedImage`
 * @param memory as many bytes from the run address of `_text`
 */
export function checkImage(boot: BootFacts, expected: Uint8Array, memory: Uint8Array): Check {
  const check = new CheckBuilder('image', 'word');
  const rows = EARLY_WRITES.map((row) => ({ ...row, ranges: row.where(boot) }));
  const covers = (ranges: readonly ImageRange[], offset: number): boolean =>
    ranges.some(({ start, end }) => start < offset + WORD && offset < end);

  const before = words(expected);
  const after = words(memory);
  const image = { before: new Uint32Array(before.buffer), after: new Uint32Array(after.buffer) };
  for (let i = 0; i < before.length; i++) {
    // Halves are compared as numbers: a bigint for each of 4 million words costs half a second.
    if (image.before[2 * i] === image.after[2 * i] && image.before[2 * i + 1] === image.after[2 * i + 1]) continue;
    const offset = i * WORD;
    const word: ChangedWord = { before: before[i]!, after: after[i]! };
    const row = rows.find(({ ranges, holds }) => covers(ranges, offset) && holds(word, boot));
    if (row) check.explain(row.reason);
    else check.mismatch(() => describe(boot, offset, word));
  }
  check.compared = before.length;
  return check.finish();
}

function describe({ kernel }: BootFacts, offset: number, { before, after }: ChangedWord): string {
  const where = `0x${offset.toString(16)} (${nameOffset(kernel, offset)})`;
  return `${where}: kaslrkit says ${formatU64(before)}, memory has ${formatU64(after)}`;
}
