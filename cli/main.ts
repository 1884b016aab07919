#!/usr/bin/env node
/** The command line: what commands there are, and what becomes of an error. Each command is loaded when it is used. */
import { createRequire } from 'node:module';
import type { Argv, CommandModule } from 'yargs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { exitCodeOf, reportError, UsageError } from './output/error.js';

type Command = Pick<CommandModule, 'handler'> & { builder: (argv: Argv) => Argv };

const COMMANDS: readonly { usage: string; describe: string; load: () => Promise<Command> }[] = [
  {
    usage: 'inspect <files..>',
    describe: 'what kernels and modules are: format, version, layout, relocations, symbols',
    load: () => import('./commands/inspect.js'),
  },
  {
    usage: 'symbols <kernel>',
    describe: 'the symbols of a kernel, as System.map lists them',
    load: () => import('./commands/symbols.js'),
  },
  {
    usage: 'place [kernel]',
    describe: 'where a seed puts the image and lets modules go',
    load: () => import('./commands/place.js'),
  },
  {
    usage: 'relocate <kernel>',
    describe: 'the image as it stands in memory after it has relocated itself',
    load: () => import('./commands/relocate.js'),
  },
  {
    usage: 'load <files..>',
    describe: 'modules as the kernel loads them: every section, relocation and PLT entry',
    load: () => import('./commands/load.js'),
  },
  {
    usage: 'map <kernel>',
    describe: 'how the placed image is mapped: segments, blocks, tables',
    load: () => import('./commands/map.js'),
  },
];

function program(): Argv {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const argv = yargs(hideBin(process.argv))
    .scriptName('kaslrkit')
    .usage('$0 <command>\n\nWhat an arm64 Linux kernel does with a KASLR seed, offline and to the byte.')
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .option('json', { type: 'boolean', describe: 'one JSON document on standard output' })
    .option('quiet', { type: 'boolean', describe: 'no progress and no hints' })
    .option('debug', { type: 'boolean', describe: 'print stacks with errors' })
    .strict()
    .demandCommand(1, 'a command is missing; --help lists them')
    .recommendCommands()
    .version(version)
    .wrap(Math.min(process.stdout.columns ?? 100, 120))
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  for (const { usage, describe, load } of COMMANDS) {
    argv.command(
      usage,
      describe,
      async (command) => (await load()).builder(command),
      async (values) => (await load()).handler(values),
    );
  }
  return argv;
}

// A reader that closes the pipe early, as head does, has what it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program().parseAsync();
} catch (error) {
  reportError(error, process.argv.includes('--debug'));
  process.exitCode = exitCodeOf(error);
}
