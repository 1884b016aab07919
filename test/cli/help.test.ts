import { describe, expect, it } from '@jest/globals';
import { run, temporaryFolder } from '../support/cli.js';
import { commandNames, examplesOf, invocationOf, writeExampleFiles } from '../support/example.js';

const folder = temporaryFolder();
writeExampleFiles(folder);
const commands = commandNames();

describe.each(commands)('%s --help', (command) => {
  const examples = examplesOf(command);

  it('has examples of this command', () => {
    expect(examples).not.toHaveLength(0);
    for (const example of examples) expect(invocationOf(example, folder).words[0]).toBe(command);
  });

  it.each(examples)('%s', (example) => {
    const { words, ...input } = invocationOf(example, folder);
    const { status, stdout, stderr } = run(words, { cwd: folder, ...input });
    expect(stderr).not.toContain('kaslrkit: ');
    expect(status).toBe(0);
    if (!example.includes(' -o ')) expect(stdout).not.toBe('');
  });
});
