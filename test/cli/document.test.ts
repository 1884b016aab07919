/** What the documents show is what the commands print: their console blocks over the samples are run and compared. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run, temporaryFolder } from '../support/cli.js';
import { blocksOf, ROOT, sessionsOf, shellOutput } from '../support/console.js';
import { commandNames } from '../support/example.js';
import { schemaNames, schemaOf, schemaViolations } from '../support/schema.js';

const folder = temporaryFolder();
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe.each(['docs/exit-codes.md', 'docs/json.md'])('%s', (path) => {
  it.each(sessionsOf(path))('%s', (command, output) => {
    expect(shellOutput(command, ROOT)).toBe(output);
  });
});

describe('docs/json.md', () => {
  const rows = [...read('docs/json.md').matchAll(/^\| (`[a-z`, ]+`) +\|.*\(schema\/([a-z]+)\.schema\.json\)/gm)];
  const named = rows.flatMap(([, commands, schema]) =>
    commands!.split(', ').map((name) => [name.slice(1, -1), schema]),
  );

  it('names the schema of every command that prints JSON', () => {
    const printing = commandNames().filter((name) => name !== 'completion');
    expect(named.sort()).toEqual(printing.map((name) => [name, schemaOf(name)]).sort());
    expect(schemaNames().sort()).toEqual([...new Set([...printing.map(schemaOf), 'plan'])].sort());
  });

  it('has a plan that its schema allows and load takes', () => {
    const [plan] = blocksOf('docs/json.md', 'json');
    expect(schemaViolations('plan', JSON.parse(plan!))).toEqual([]);
    writeFileSync(join(folder, 'PLAN.json'), plan!);
    const modules = ['exporter', 'importer'].map((name) => `samples/bin/6.1/${name}.ko`);
    const args = [
      'load',
      ...modules,
      '--kernel',
      'samples/bin/6.1/Image',
      '--seed',
      '1',
      '--at',
      join(folder, 'PLAN.json'),
    ];
    expect(run(args, { cwd: ROOT })).toMatchObject({ status: 0, stderr: '' });
  });
});
