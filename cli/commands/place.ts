import type { Argv } from 'yargs';
import { formatU64, formatVa } from '../../lib/address.js';
import type { Placement } from '../../lib/kaslr/place.js';
import { type MachineArguments, readMachine, withMachine } from '../machine.js';
import { formatSize, printFields, printJson } from '../output/print.js';
import { chosenPlace, type PlacementArguments, placeMachine, withPlacement } from '../placement.js';

type Arguments = PlacementArguments & MachineArguments & { json?: boolean };

export function builder(argv: Argv): Argv {
  return withMachine(withPlacement(argv))
    .example('$0 place vmlinuz --seed 0xfedcba9876543210', 'where this boot put the kernel')
    .example('$0 place --era 6.9 --va-bits 48 --page-size 4096 --image-size 0x2500000 --seed 1', 'without a file');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const placement = placeMachine(await readMachine(options), chosenPlace(options));
  if (options.json) printJson(toJson(placement));
  else printPlacement(placement);
}

function toJson({ era, seed, offset, text, end, crossesBoundary, modules }: Placement): object {
  return {
    era,
    seed: seed === undefined ? null : formatU64(seed),
    offset: formatU64(BigInt(offset)),
    text: formatVa(text),
    end: formatVa(end),
    crossesBoundary,
    modules:
      'base' in modules
        ? { base: formatVa(modules.base), end: formatVa(modules.end) }
        : {
            windows: modules.windows.map(({ kind, size, lowest, highest }) => ({
              kind,
              size,
              lowest: formatVa(lowest),
              highest: formatVa(highest),
            })),
          },
  };
}

function printPlacement({ era, seed, offset, text, end, crossesBoundary, modules }: Placement): void {
  printFields([
    ['era', era],
    ...(seed === undefined ? [] : [['seed', formatU64(seed)] as const]),
    ['_text', formatVa(text)],
    ['_end', formatVa(end)],
    ['offset', formatU64(BigInt(offset))],
    ['straddles a boundary', crossesBoundary ? 'yes' : 'no'],
    ...('base' in modules
      ? [['modules', `${formatVa(modules.base)} - ${formatVa(modules.end)}`] as const]
      : modules.windows.map(
          ({ kind, size, lowest, highest }) =>
            [
              `modules (${kind})`,
              `${formatSize(size)} from between ${formatVa(lowest)} and ${formatVa(highest)}`,
            ] as const,
        )),
  ]);
}
