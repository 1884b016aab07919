import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { mergeShards } from '../../lib/sweep/merge.js';
import { parseShard } from '../../lib/sweep/shard.js';
import { readText } from '../input.js';
import { aboutFile } from '../output/error.js';
import { printSweep } from '../output/sweep.js';
import { parseCount } from '../placement.js';

const OPTIONS = {
  csv: { type: 'boolean', describe: 'one line a module' },
  top: { type: 'string', requiresArg: true, describe: 'only so many modules, those that use most' },
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS> & { files: string[]; json?: boolean };

/** A shard of all of a distribution's modules, with 10,000 boots, has 40 MB. */
const SHARD_LIMIT = 2 ** 28;

export function builder(argv: Argv): Argv {
  return argv
    .positional('files', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'what sweep --shard I/N --json wrote, all N of them',
    })
    .options(OPTIONS)
    .conflicts('json', 'csv')
    .example('$0 merge shard-*.json --json', 'the very document that one run prints');
}

export async function handler(values: unknown): Promise<void> {
  const { files, json, csv, top } = values as Arguments;
  const shards = [];
  for (const file of files) shards.push(await aboutFile(file, () => parseShard(readText(file, SHARD_LIMIT))));
  const document = mergeShards(shards);
  printSweep(document, { json, csv, top: top === undefined ? undefined : parseCount(top, '--top') });
}
