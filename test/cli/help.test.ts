import { describe, expect, it } from '@jest/globals';
import { run, temporaryFolder } from '../support/cli.js';
import { commandNames, examplesOf, wordsOf, writeExampleFiles } from '../support/example.js';

/** yargs' own. */
const WITHOUT_EXAMPLES = ['completion'];

const folder = temporaryFolder();
writeExampleFiles(folder);
const commands = commandNames().filter((name) => !WITHOUT_EXAMPLES.includes(name));

describe.each(commands)('%s --help', (command) => {
  const examples = examplesOf(command);

  it('has examples of this command', () => {
    expect(examples).not.toHaveLength(0);
    for (const example of examples) expect(example.split(' ')[0]).toBe(command);
  });

  it.each(examples)('kaslrkit %s', (example) => {
    const { status, stdout, stderr } = run(wordsOf(example, folder), { cwd: folder });
    expect(stderr).not.toContain('kaslrkit: ');
    expect(status).toBe(0);
    if (!example.includes(' -o ')) expect(stdout).not.toBe('');
  });
});
