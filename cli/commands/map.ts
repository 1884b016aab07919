import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { va } from '../../lib/address.js';
import { vaLayout } from '../../lib/kaslr/layout.js';
import { mapKernel } from '../../lib/mmu/kernel-mapping.js';
import type { Stage } from '../../lib/mmu/mapping-rule.js';
import { ptdump } from '../../lib/mmu/ptdump.js';
import { straddle } from '../../lib/mmu/straddle.js';
import { filesOfKernel, readKernel } from '../input.js';
import { changeOf, linearMapsOf, type MappableKernel, mappableKernel } from '../mapping.js';
import { aboutFile } from '../output/error.js';
import { requireNotInput, STANDARD_OUTPUT, writeOutput } from '../output/file.js';
import {
  linearMapsJson,
  linearMapsText,
  mappingJson,
  straddleJson,
  transitionJson,
  transitionText,
} from '../output/mapping.js';
import { printJson } from '../output/print.js';
import { geometryFor, type PlacementArguments, placeKernel, withPlacement } from '../placement.js';

const OPTIONS = {
  stage: { choices: ['early', 'final'], default: 'final', describe: 'at __primary_switched, or after boot' },
  output: {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: "file for the raw tables, to be loaded behind the image ('-': standard output)",
  },
  transition: { type: 'boolean', describe: 'what it takes to go from the early tables to the final ones' },
  memory: { type: 'string', array: true, requiresArg: true, describe: 'START-END of memory: plan its linear map too' },
} as const satisfies Record<string, Options>;

type Arguments = PlacementArguments &
  InferredOptionTypes<typeof OPTIONS> & { kernel: string; json?: boolean; quiet?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .positional('kernel', { type: 'string', demandOption: true, describe: 'vmlinux or Image' })
    .options(OPTIONS)
    .example('$0 map vmlinuz --seed 0xfedcba9876543210 --phys 0x40200000', 'as kernel_page_tables prints it')
    .example('$0 map vmlinuz --seed 1 --phys 0x40200000 --transition', 'which entries need break-before-make');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const kernel = await readKernel(options.kernel, options);
  if (options.output !== undefined) await requireNotInput(options.output, ...filesOfKernel(options.kernel, options));
  await aboutFile(options.kernel, async () => {
    const placement = placeKernel(kernel, options, true);
    const { text: start, end } = placement;
    const mappable = mappableKernel(kernel, placement, options);
    const mapping = mapKernel({ ...mappable.request, stage: options.stage as Stage });
    const change = options.transition ? changeOf(mappable.request, { start, end }) : undefined;
    const { pageOffset } = vaLayout(kernel.era, geometryFor(kernel, options));
    const linear = options.memory && linearMapsOf(mappable, pageOffset, options.memory);
    if (options.output !== undefined) await writeOutput(options.output, mapping.tables.bytes);
    if (options.output === STANDARD_OUTPUT) return;
    if (options.json) {
      printJson({
        ...mappingJson(mapping),
        inferred: mappable.inferred,
        straddle: straddleJson(straddle(mapping.tables.regime, { start, end })),
        ...(change && { transition: transitionJson(change) }),
        ...(linear && { linearMap: linearMapsJson(linear) }),
      });
      return;
    }
    if (!options.quiet) hintInferred(mappable);
    const last = mapping.leaves.at(-1);
    // Blocks may reach beyond the image.
    const mappedEnd = va(Math.max(end, last ? last.va + last.size : end));
    process.stdout.write(ptdump(mapping.tables, { start, end: mappedEnd, memoryTypes: mapping.rule.memoryTypes }));
    if (change) process.stdout.write(`\n${transitionText(change)}`);
    if (linear) process.stdout.write(`\n${linearMapsText(linear)}`);
  });
}

function hintInferred({ inferred }: MappableKernel): void {
  // Names at one address follow from each other; worth saying is only what was read from the image itself.
  for (const { symbol, from } of inferred) {
    if (!from.includes('at the same address'))
      process.stderr.write(`${symbol} is not in the symbol table; taken from ${from}\n`);
  }
}
