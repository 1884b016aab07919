/** What yargs lets pass and no command can use: a second value where one is taken, a value negated away, two results for one stream. */
import { UsageError } from './output/error.js';
import { STANDARD_OUTPUT } from './output/file.js';

/** Stands for `-` while yargs parses, which takes a positional `-` for an option without a name. No word of a command line holds a NUL. */
const DASH = '\0-';

export function hideDashes(words: readonly string[]): string[] {
  return words.map((word) => (word === '-' ? DASH : word));
}

const shown = (value: unknown): unknown => (value === DASH ? '-' : value);

/** A message of yargs about such words. */
export const withDashes = (message: string): string => message.replaceAll(DASH, '-');

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
