/** Changes to text that is read by lines or as JSON: words swapped for others, lines repeated and left out. */
import { mutateBytes } from './byte-mutation.js';
import type { Random } from './random.js';

/** What may stand where a number, a name or a bracket stood. */
const WORDS: readonly string[] = [
  ...['', '0', '-1', '1e400', '0x', '0xffffffffffffffff', '0x10000000000000000', '0x0010000000000000', '9'.repeat(400)],
  ...['null', 'true', '{}', '[]', '[', '{', '}', ']', '"', ',', ':', '=', '\\', '\0', '\r', '\n', '\u2028', '\ud800'],
  ...['__proto__', 'constructor', '../x', 'y', 'n', 'core', 'init', 'text', 'a'.repeat(5000)],
];

const WORD = /[\w.-]+|[^\s\w]/g;

function replaceWord(text: string, random: Random): string {
  const words = [...text.matchAll(WORD)];
  if (words.length === 0) return random.pick(WORDS);
  const { index, 0: word } = random.pick(words);
  const other = random.once(2) ? random.pick(WORDS) : random.pick(words)[0];
  return text.slice(0, index) + other + text.slice(index + word.length);
}

function changeLines(text: string, random: Random): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  const line = lines[at]!;
  if (random.once(2)) lines.splice(at, 1);
  else
    lines.splice(random.below(lines.length), 0, ...Array<string>(1 + random.below(random.pick([2, 1000]))).fill(line));
  return lines.join('\n');
}

export function mutateText(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.once(5)) return mutateBytes(bytes, random);
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(random.once(3) ? changeLines(text, random) : replaceWord(text, random));
}
