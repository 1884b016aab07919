/** What yargs lets pass and no command can use: a second value where one is taken, a value negated away, two results for one stream. */
import { UsageError } from './output/error.js';
import { STANDARD_OUTPUT } from './output/file.js';

/** Before a word while yargs parses, so that it is an operand whatever it looks like. No word of a command line holds a NUL. */
const OPERAND = '\0';

/** A switch that stands for `--`: it ends a list of values before it, and leaves one that is missing missing. Not to be typed. */
export const END_OF_OPTIONS = '\0end';

/** Hides `-`, which yargs takes for an option without a name, and all behind `--`, which it keeps from commands. */
export function hideDashes(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const options = end < 0 ? words : words.slice(0, end);
  const hidden = options.map((word) => (word === '-' ? OPERAND + word : word));
  if (end < 0) return hidden;
  return [...hidden, `--${END_OF_OPTIONS}`, ...words.slice(end + 1).map((word) => OPERAND + word)];
}

const shown = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith(OPERAND) ? value.slice(OPERAND.length) : value;

/** A message of yargs about such words. */
export const withDashes = (message: string): string => message.replaceAll(OPERAND, '');

/** Puts back, in place, what hideDashes() took out. */
export function showDashes(values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    values[name] = Array.isArray(value) ? value.map(shown) : shown(value);
  }
}

/** Names of options by what they hold: what yargs hands to a check beside the values. */
export interface DeclaredOptions {
  readonly array: readonly string[];
  readonly string: readonly string[];
}

const spelled = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

/**
 * @param values what was parsed, by option name
 * @throws UsageError naming the option
 */
export function checkArguments(values: Readonly<Record<string, unknown>>, declared: DeclaredOptions): void {
  for (const [name, value] of Object.entries(values)) {
    if (name === '_') continue;
    if (Array.isArray(value) && !declared.array.includes(name)) {
      throw new UsageError(`${spelled(name)} is given ${value.length} times, but takes one value`);
    }
    // `--no-seed` is { seed: false } to yargs, whatever the option's type.
    if (declared.string.includes(name) && [value].flat().includes(false)) {
      throw new UsageError(`--no-${name}: ${spelled(name)} takes a value, it cannot be negated`);
    }
  }
  if (values.json && values.output === STANDARD_OUTPUT) {
    throw new UsageError(`--json and -o ${STANDARD_OUTPUT} both want standard output`);
  }
}
