import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../cli/output/error.js';
import { OutputFolder, requireNotInput, writeOutput } from '../../../cli/output/file.js';
import { temporaryFolder } from '../../support/cli.js';

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const bytes = Buffer.from('new');

/** A link `name` to a file that holds `old`. */
function linkTo(target: string, name: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(target), 'old');
  symlinkSync(at(target), at(name));
}

describe('writeOutput', () => {
  it('replaces a link and leaves what it points to', async () => {
    linkTo('target', 'link');
    await writeOutput(at('link'), bytes);
    expect(lstatSync(at('link')).isFile()).toBe(true);
    expect([readFileSync(at('link'), 'utf8'), readFileSync(at('target'), 'utf8')]).toEqual(['new', 'old']);
  });

  it('leaves nothing behind where it cannot write', async () => {
    mkdirSync(at('taken', 'inner'), { recursive: true });
    await expect(writeOutput(at('taken'), bytes)).rejects.toThrow(/taken: /);
    expect(readdirSync(folder).filter((name) => name.startsWith('taken'))).toEqual(['taken']);
    expect(readdirSync(at('taken'))).toEqual(['inner']);
  });
});

describe('requireNotInput', () => {
  it('knows the input by every name it has', async () => {
    writeFileSync(at('input'), 'old');
    symlinkSync(at('input'), at('alias'));
    symlinkSync(folder, at('here'));
    writeFileSync(at('second'), 'old');
    for (const [output, input] of [
      ['input', 'input'],
      ['input', 'alias'],
      ['here/input', 'input'],
      ['input', 'here/alias'],
      ['alias', 'here/alias'],
    ] as const) {
      await expect(requireNotInput(at(output), at('second'), at(input))).rejects.toThrow(`${at(output)}: is an input`);
    }
    // Only the link is replaced.
    await expect(requireNotInput(at('alias'), at('input'))).resolves.toBeUndefined();
    await expect(requireNotInput('/dev/null', '/dev/null')).resolves.toBeUndefined();
    await expect(requireNotInput(at('other'), at('input'))).resolves.toBeUndefined();
    await expect(requireNotInput(at('input'), '-')).resolves.toBeUndefined();
    await expect(requireNotInput('-', at('input'))).resolves.toBeUndefined();
  });
});

describe('OutputFolder', () => {
  it('shows nothing until all is there, and replaces links', async () => {
    linkTo('victim', 'modules/b.ko');
    const output = await OutputFolder.create(at('modules'), []);
    await output.add('a.ko', bytes);
    await output.add('b.ko', bytes);
    expect(existsSync(at('modules/a.ko'))).toBe(false);
    await output.publish();
    output.discard();
    expect(readdirSync(at('modules')).sort()).toEqual(['a.ko', 'b.ko']);
    expect(lstatSync(at('modules/b.ko')).isFile()).toBe(true);
    expect(readFileSync(at('victim'), 'utf8')).toBe('old');
  });

  it('leaves nothing of what was not published', async () => {
    const output = await OutputFolder.create(at('given-up'), []);
    await output.add('a.ko', bytes);
    output.discard();
    expect(readdirSync(at('given-up'))).toEqual([]);
  });

  it('replaces no input, by whatever name it was read, and any other file', async () => {
    linkTo('real.ko', 'inputs/link.ko');
    writeFileSync(at('inputs/plain.ko'), 'old');
    writeFileSync(at('inputs/other.ko'), 'old');
    symlinkSync(at('inputs'), at('inputs-alias'));
    const output = await OutputFolder.create(at('inputs'), [at('inputs-alias/link.ko'), at('inputs-alias/plain.ko')]);
    for (const name of ['link.ko', 'plain.ko'])
      await expect(output.add(name, bytes)).rejects.toThrow(`${at('inputs', name)}: is an input`);
    await output.add('other.ko', bytes);
    await output.publish();
    output.discard();
    const texts = ['link.ko', 'plain.ko', 'other.ko'].map((name) => readFileSync(at('inputs', name), 'utf8'));
    expect(texts).toEqual(['old', 'old', 'new']);
  });

  it('is made with the folders it lies in, and none where nothing can be made', async () => {
    const output = await OutputFolder.create(at('made', 'one', 'two'), []);
    output.discard();
    expect(readdirSync(at('made', 'one', 'two'))).toEqual([]);
    writeFileSync(at('no-folder'), 'old');
    await expect(OutputFolder.create(at('no-folder', 'deep'), [])).rejects.toThrow(/no-folder.deep: /);
    await expect(OutputFolder.create(at('no-folder'), [])).rejects.toThrow(/no-folder: .*not a directory/);
    await expect(OutputFolder.create(at('unmade'), [at('missing')])).rejects.toThrow(`${at('missing')}: `);
    expect(existsSync(at('unmade'))).toBe(false);
  });

  it.each(['../x.ko', '/x.ko', 'a/b.ko', '..\\x.ko', 'c:x.ko', 'C:\\x.ko'])('takes no %s for a name', async (name) => {
    const output = await OutputFolder.create(at('strict'), []);
    await expect(output.add(name, bytes)).rejects.toThrow(UsageError);
    output.discard();
    expect(readdirSync(at('strict'))).toEqual([]);
  });

  it('is no standard output', async () => {
    await expect(OutputFolder.create('-', [])).rejects.toThrow(UsageError);
  });
});
