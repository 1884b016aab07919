import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MAIN, run, runRefused } from '../support/cli.js';
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
    '_kaslrkit_completions',
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

  it('answers bash as bash, whatever the $SHELL is', () => {
    const plain = complete('loc');
    expect(plain).toEqual(['locate']);
    const lines = [
      `kaslrkit() { '${process.execPath}' '${MAIN}' "$@"; }`,
      script('/bin/bash'),
      'COMP_WORDS=(kaslrkit loc) COMP_CWORD=1 SHELL=/bin/zsh ZSH_NAME=zsh',
      'export SHELL ZSH_NAME',
      '_kaslrkit_completions',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ];
    expect(spawnSync('bash', ['-c', lines.join('\n')], { encoding: 'utf8' }).stdout).toBe('locate\n');
  });

  it('takes the name of the shell, before $SHELL', () => {
    const [bash, zsh] = [script('/bin/bash'), script('/usr/bin/zsh')];
    expect(bash).toContain('complete -o bashdefault');
    process.env.SHELL = '/usr/bin/fish';
    expect(run(['completion', 'bash'])).toEqual({ status: 0, stdout: bash, stderr: '' });
    expect(run(['completion', 'zsh'])).toEqual({ status: 0, stdout: zsh, stderr: '' });
    expect(runRefused(['completion', 'fish'])).toMatch(/fish.*"bash", "zsh"/);
    expect(complete('completion', 'z')).toEqual(['zsh']);
  });

  it('refuses a $SHELL that it has no script for', () => {
    process.env.SHELL = '/usr/bin/fish';
    expect(runRefused(['completion'])).toBe('there is no completion for fish, the $SHELL; name bash or zsh');
  });

  it('has help, not a script, for --help', () => {
    const { status, stdout, stderr } = run(['completion', '--help']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^kaslrkit completion \[shell\]\n/);
    expect(stdout).toContain('[choices: "bash", "zsh"]');
  });

  it('speaks to zsh when that is the shell', () => {
    expect(script('/usr/bin/zsh')).toMatch(/^#compdef kaslrkit$[\s\S]*compdef _kaslrkit_completions kaslrkit$/m);
  });
});
