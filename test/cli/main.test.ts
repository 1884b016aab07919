import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { run, runRefused } from '../support/cli.js';
import { samplePath } from '../support/sample.js';

const IMAGE = samplePath('6.1/Image');
const PLACE = ['place', '--era', '6.9', '--va-bits', '48', '--image-size', '38731776'];

describe('kaslrkit', () => {
  it('prints its version and its commands', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(run(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    const { status, stdout } = run(['--help']);
    expect(status).toBe(0);
    for (const command of ['inspect', 'symbols', 'place', 'relocate']) expect(stdout).toContain(`kaslrkit ${command}`);
  });

  it.each([
    ['no command', [], 'command is missing'],
    ['an unknown command', ['plase'], 'place'],
    ['an unknown option', [...PLACE, '--seed', '1', '--sead', '2'], 'sead'],
    ['an option without its value', [...PLACE, '--seed'], 'seed'],
    ['too many words', [...PLACE, '--seed', '1', 'one', 'two'], 'two'],
    ['a missing file name', ['relocate', '--seed', '1'], 'Not enough'],
    ['a value that is not offered', ['relocate', IMAGE, '--seed', '1', '--format', 'bin'], 'bin'],
  ])('refuses %s', (_, args, named) => {
    expect(runRefused(args)).toContain(named);
  });

  it('ends options at --', () => {
    const other = samplePath('6.12/many_calls.ko');
    for (const [ended, plain] of [
      [
        ['inspect', '--', IMAGE, other],
        ['inspect', IMAGE, other],
      ],
      [
        ['inspect', IMAGE, '--json', '--', other],
        ['inspect', IMAGE, other, '--json'],
      ],
      [
        ['verify', '--', other],
        ['verify', other],
      ],
      [
        ['place', '--seed', '1', '--', IMAGE],
        ['place', IMAGE, '--seed', '1'],
      ],
      [
        ['explain', '--json', '--', 'KASLR enabled'],
        ['explain', 'KASLR enabled', '--json'],
      ],
    ] as const) {
      const expected = run(plain);
      expect(expected.stdout).not.toBe('');
      expect(run(ended)).toEqual(expected);
    }
  });

  it('takes what follows -- for what it is', () => {
    expect(runRefused(['inspect', '--', '--json'])).toMatch(/^--json: /);
    expect(runRefused(['inspect', '--', '--'])).toMatch(/^--: /);
    expect(runRefused(['inspect', '--', 'true'])).toMatch(/^true: /);
    expect(runRefused(['place', '--seed', '--', IMAGE])).toBe('Not enough arguments following: seed');
    expect(runRefused(['inspect', '--'])).toContain('Not enough');
    expect(runRefused([...PLACE, '--seed', '1', '--', 'one', '--two'])).toBe('Unknown argument: --two');
    expect(run(['inspect', '--', '-'], { input: readFileSync(IMAGE) }).stdout).toBe(
      run(['inspect', '-'], { input: readFileSync(IMAGE) }).stdout,
    );
  });

  it('prints stacks with --debug alone', () => {
    const args = [...PLACE, '--seed', 'abc'];
    expect(run(args).stderr).not.toContain('    at ');
    const { status, stderr } = run([...args, '--debug']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^kaslrkit: seed 'abc' is not a decimal or 0x hexadecimal number\n/);
    expect(stderr).toMatch(/\n {4}at /);
  });
});
