/**
 * What the documents show of real kernels is what the commands print: their console blocks are run, over files of the names they
 * have there. `$ cat FILE` shows a file that a later command reads; a line `  ...` stands for the rest of an output.
 */
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { findModules } from '../../cli/module-files.js';
import { temporaryFolder } from '../support/cli.js';
import { sessionsOf, shellOutput } from '../support/console.js';
import { samplePath } from '../support/sample.js';
import { describeKernel, oraclesIn, readOracle } from './support/kernels.js';

const MINUTES = 60_000;
const DOCUMENTS = [
  'README.md',
  ...['entropy', 'explain', 'locate', 'report', 'sweep', 'verify'].map((name) => `docs/${name}.md`),
];
const SAMPLES = { 'mixed.ko': '6.1/mixed.ko', 'many_calls.ko': '6.1/many_calls.ko', vmlinux: '6.1/vmlinux' };

const kernels = oraclesIn('images').map((name) => readOracle<{ id: string; sha256: string }>(name));
const kernelOf = (name: string) => kernels.find(({ id }) => id === name)!;
const [modular, newer] = [kernelOf('debian-6.1.0-56-arm64'), kernelOf('debian-6.12.107+deb13-arm64')];

describeKernel(newer.id, newer.sha256, (newerFile) => {
  describeKernel(modular.id, modular.sha256, (modularFile) => {
    const folder = temporaryFolder();

    beforeAll(async () => {
      for (const file of [newerFile, modularFile]) {
        const config = file.replace('vmlinuz-', 'config-');
        for (const path of [file, config]) symlinkSync(path, join(folder, basename(path)));
      }
      symlinkSync(dirname(modularFile), join(folder, 'boot'));
      symlinkSync(join(dirname(modularFile), '../lib'), join(folder, 'lib'));
      const modules = await findModules(join(folder, 'lib'));
      cpSync(modules.get('xfs')!, join(folder, 'xfs.ko'));
      for (const [name, sample] of Object.entries(SAMPLES)) cpSync(samplePath(sample), join(folder, name));
    });

    describe.each(DOCUMENTS)('%s', (document) => {
      // Commands of which nothing is shown may need what only a user has.
      const shown = sessionsOf(document).filter(([, output]) => output !== '');

      it.each(shown)(
        '%s',
        (command, output) => {
          const file = /^cat (\S+)$/.exec(command)?.[1];
          if (file !== undefined) {
            writeFileSync(join(folder, file), output);
            return;
          }
          expect(command).toMatch(/^(npx )?kaslrkit /);
          const here = command.replace('npx ', '').replaceAll(/ \/(boot|lib)\//g, ' $1/');
          const [start, rest] = output.split(/^ {2}\.\.\.\n/m);
          const printed = shellOutput(here, folder);
          expect(rest === undefined ? printed : printed.slice(0, start!.length)).toBe(start);
        },
        2 * MINUTES,
      );
    });
  });
});
