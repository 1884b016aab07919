import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MAIN, run } from '../support/cli.js';
import { commandNames } from '../support/example.js';

const shell = process.env.SHELL;
afterEach(() => {
  if (shell === undefined) delete process.env.SHELL;
  else process.env.SHELL = shell;
});

function script(path: string): string {
  process.env.SHELL = path;
  const { status, stdout, stderr } = run(['completion']);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** What the script's function offers for the last word, in a bash to which kaslrkit is this build. */
function complete(...words: string[]): string[] {
  const lines = [
    `kaslrkit() { '${process.execPath}' '${MAIN}' "$@"; }`,
    script('/bin/bash'),
    `COMP_WORDS=(kaslrkit ${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length}`,
    '_kaslrkit_yargs_completions',
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ];
  const { stdout, stderr } = spawnSync('bash', ['-c', lines.join('\n')], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it('offers every command', () => {
    expect(complete('').sort()).toEqual(commandNames().sort());
  });

  it('offers what continues a word', () => {
    expect(complete('rel')).toEqual(['relocate']);
  });

  it("offers a command's own options", () => {
    expect(complete('load', '--module')).toEqual(['--modules', '--module-seed', '--module-base']);
  });

  it('offers the values of an option that has a choice', () => {
    expect(complete('map', '--stage', 'e')).toEqual(['early']);
  });

  it('speaks to zsh when that is the shell', () => {
    expect(script('/usr/bin/zsh')).toMatch(/^#compdef kaslrkit$[\s\S]*compdef _kaslrkit_yargs_completions kaslrkit/m);
  });
});
