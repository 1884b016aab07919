import type { WriteStream } from 'node:tty';
import { describe, expect, it } from '@jest/globals';
import { colorsOf } from '../../../cli/output/color.js';
import { run } from '../../support/cli.js';

const stream = (properties: object): WriteStream => properties as WriteStream;

describe('colorsOf', () => {
  it('colours on a terminal that has colours', () => {
    expect(colorsOf(stream({ isTTY: true, hasColors: () => true })).red('no')).toBe('\u001b[31mno\u001b[39m');
  });

  it.each([
    // Node's hasColors() is false with NO_COLOR or TERM=dumb; a file or pipe has no such function at all.
    ['a terminal without', { isTTY: true, hasColors: () => false }],
    ['a file or pipe', {}],
  ])('leaves text as it is for %s', (_, properties) => {
    expect(colorsOf(stream(properties)).red('no')).toBe('no');
  });
});

it('writes no escape sequence into a pipe, whatever the environment wants', () => {
  const { CI } = process.env;
  process.env.CI = 'true';
  try {
    expect(run(['xyzzy', '--color']).stderr).toMatch(/^kaslrkit: [ -~]+\n$/);
  } finally {
    if (CI === undefined) delete process.env.CI;
    else process.env.CI = CI;
  }
});
