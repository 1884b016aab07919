#!/usr/bin/env node
/** The command line: what commands there are, and what becomes of an error. Each command is loaded when it is used. */
import { createRequire } from 'node:module';
import type { Argv, CommandModule } from 'yargs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import {
  checkArguments,
  type DeclaredOptions,
  END_OF_OPTIONS,
  hideDashes,
  showDashes,
  withDashes,
} from './argument.js';
import { exitCodeOf, reportError, UsageError } from './output/error.js';
import { endWithReaders } from './output/stream.js';

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
    usage: 'sweep',
    describe: 'how many PLT entries modules need, over every placement or sampled boots',
    load: () => import('./commands/sweep.js'),
  },
  {
    usage: 'merge <files..>',
    describe: 'the shards of a sweep joined to the result of one run',
    load: () => import('./commands/merge.js'),
  },
  {
    usage: 'verify <files..>',
    describe: 'which references of modules can go out of range, by code model',
    load: () => import('./commands/verify.js'),
  },
  {
    usage: 'explain [lines..]',
    describe: 'what a line of the kernel log means: relocations, PLTs, module memory, KASLR',
    load: () => import('./commands/explain.js'),
  },
  {
    usage: 'map <kernel>',
    describe: 'how the placed image is mapped: segments, blocks, tables',
    load: () => import('./commands/map.js'),
  },
  {
    usage: 'locate [kernel]',
    describe: 'the reverse of place: what an address, a panic or a memory dump says about a boot',
    load: () => import('./commands/locate.js'),
  },
  {
    usage: 'entropy [kernel]',
    describe: 'what KASLR leaves to guess, and what one leaked pointer takes of it',
    load: () => import('./commands/entropy.js'),
  },
  {
    usage: 'report',
    describe: 'one HTML file with pictures and tables of all this, for a kernel and all its modules',
    load: () => import('./commands/report.js'),
  },
  {
    usage: 'completion [shell]',
    describe: 'print a script that completes commands and options in bash or zsh',
    load: () => import('./commands/completion.js'),
  },
];

/** Stands for a command whose name is not on the command line. */
const NOT_NAMED: Command = { builder: (argv) => argv, handler: () => {} };

const EXIT_CODES =
  'Exit: 0 done; 1 the check found violations or a mismatch; 2 bad usage or bad input; 70 a bug in kaslrkit.';

async function program(words: readonly string[]): Promise<Argv> {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const argv = yargs(words)
    .scriptName('kaslrkit')
    .usage('$0 <command>\n\nWhat an arm64 Linux kernel does with a KASLR seed, offline and to the byte.')
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
    })
    // The commands' own words are English.
    .detectLocale(false)
    .updateStrings({ 'Did you mean %s?': 'no such command; did you mean %s?' })
    .option('json', { type: 'boolean', describe: 'one JSON document on standard output' })
    .option('quiet', { type: 'boolean', describe: 'no progress and no hints' })
    .option('debug', { type: 'boolean', describe: 'print stacks with errors' })
    .option(END_OF_OPTIONS, { type: 'boolean', hidden: true })
    .strict()
    .strictCommands()
    .demandCommand(1, 'a command is missing; --help lists them')
    .recommendCommands()
    .middleware(showDashes)
    .check((values, declared) => {
      // The types know this argument as aliases, which it has not been since yargs 17.
      checkArguments(values, declared as unknown as DeclaredOptions);
      return true;
    })
    .version(version)
    .epilogue(EXIT_CODES)
    .wrap(Math.min(process.stdout.columns ?? 100, 120))
    .fail((message, error) => {
      throw error ?? new UsageError(withDashes(message));
    });
  for (const { usage, describe, load } of COMMANDS) {
    // Completion asks for a builder's options without waiting for it, so the command must be there before.
    const { builder, handler } = words.includes(usage.split(' ')[0]!) ? await load() : NOT_NAMED;
    argv.command(usage, describe, (command) => builder(command.strictCommands(false)), handler);
  }
  return argv;
}

function fail(error: unknown): void {
  reportError(error, process.argv.includes('--debug'));
  process.exitCode = exitCodeOf(error);
}

endWithReaders();
// Node's own exit code for them is 1, which says that a check found something.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});
try {
  await (await program(hideDashes(hideBin(process.argv)))).parseAsync();
} catch (error) {
  fail(error);
}
