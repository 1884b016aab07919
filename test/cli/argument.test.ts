import { describe, expect, it } from '@jest/globals';
import { checkArguments, END_OF_OPTIONS, hideDashes, showDashes, withDashes } from '../../cli/argument.js';
import { UsageError } from '../../cli/output/error.js';
import { run, runRefused } from '../support/cli.js';
import { readSample, samplePath } from '../support/sample.js';

const DECLARED = { array: ['files', 'memory'], string: ['seed', 'output', 'o', 'memory', 'files'] };
const check = (values: Record<string, unknown>) => () =>
  checkArguments({ _: ['load'], $0: 'kaslrkit', ...values }, DECLARED);

describe('checkArguments', () => {
  it.each<[string, Record<string, unknown>]>([
    ['one value each', { seed: '1', output: 'a', o: 'a', json: true }],
    ['a list where a list is taken', { files: ['a', 'b'], memory: ['0-1', '2-3'] }],
    ['what was left out', { seed: undefined, memory: undefined }],
    ['standard output for the result alone', { output: '-', json: false }],
    ['a switch turned off', { adrp: false }],
  ])('takes %s', (_, values) => {
    expect(check(values)).not.toThrow();
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a second value', { seed: ['1', '2'] }, '--seed is given 2 times, but takes one value'],
    ['a third value of a short option', { o: ['a', 'b', 'c'] }, '-o is given 3 times, but takes one value'],
    ['a second value of a choice', { stage: ['early', 'final'] }, '--stage is given 2 times, but takes one value'],
    ['a value negated away', { seed: false }, '--no-seed: --seed takes a value, it cannot be negated'],
    ['the same of a list', { memory: [false] }, '--no-memory: --memory takes a value, it cannot be negated'],
    ['JSON and bytes on one stream', { output: '-', json: true }, '--json and -o - both want standard output'],
  ])('refuses %s', (_, values, message) => {
    expect(check(values)).toThrow(new UsageError(message));
  });
});

describe('a dash', () => {
  it('is hidden from the parser and put back, in lists too', () => {
    const words = ['inspect', '-', '--json', '-o', '-x', 'a-b', ''];
    const hidden = hideDashes(words);
    expect(hidden).not.toContain('-');
    const values: Record<string, unknown> = { files: hidden, kernel: hidden[1], count: 3, seed: undefined };
    showDashes(values);
    expect(values).toEqual({ files: words, kernel: '-', count: 3, seed: undefined });
    expect(withDashes(`Unknown argument: ${hidden[1]}`)).toBe('Unknown argument: -');
  });

  it('that is doubled makes operands of all words behind it', () => {
    const words = ['load', '-', '--', '-', '--json', '--', 'true'];
    const hidden = hideDashes(words);
    expect(hidden.filter((word) => word.startsWith('-'))).toEqual([`--${END_OF_OPTIONS}`]);
    expect(hidden).not.toContain('true');
    const values: Record<string, unknown> = { files: hidden.filter((word) => !word.startsWith('--')) };
    showDashes(values);
    expect(values).toEqual({ files: words.filter((_, i) => i !== 2) });
  });

  it('is standard input in any place of a list', () => {
    const image = samplePath('6.1/Image');
    const vmlinux = samplePath('6.12/vmlinux');
    const { stdout } = run(['inspect', vmlinux, '-', vmlinux], { input: readSample('6.1/Image') });
    expect(stdout).toBe(run(['inspect', vmlinux, image, vmlinux]).stdout.replace(image, '-'));
  });
});

describe('the command line', () => {
  const place = ['place', samplePath('6.1/Image'), '--seed', '1'];

  it.each([
    ['two seeds', [...place, '--seed', '1'], '--seed is given 2 times'],
    ['a negated seed', ['place', samplePath('6.1/Image'), '--no-seed'], '--no-seed'],
    ['a part of a seed', [...place, '--seed.high=1'], 'seed.high'],
    ['standard output twice', ['relocate', ...place.slice(1), '-o', '-', '--json'], 'both want standard output'],
    ['a command that is nearly one', ['plase'], 'no such command; did you mean place?'],
    ['a command that is none', ['xyzzy'], 'Unknown command: xyzzy'],
    ['a word too many', [...place, '-'], 'Unknown argument: -'],
  ])('refuses %s', (_, words, message) => {
    expect(runRefused(words)).toContain(message);
  });

  it('speaks English in every locale', () => {
    const language = process.env.LC_ALL;
    process.env.LC_ALL = 'de_DE.UTF-8';
    try {
      expect(runRefused(['xyzzy'])).toBe('Unknown command: xyzzy');
    } finally {
      if (language === undefined) delete process.env.LC_ALL;
      else process.env.LC_ALL = language;
    }
  });
});
