/** The command line of the conformance harness. */
import { parseArgs } from 'node:util';
import { UsageError } from '../../cli/output/error.js';
import { parseCount, parseSeed } from '../../cli/placement.js';
import { MATRICES } from './matrix.js';

export const HELP = `npm run conformance -- --kernel VMLINUZ [--modules DIR] [--cpu CPU] [--seeds N | --seed S ...] [--count M]
npm run conformance -- --matrix ci|full [--kernels DIR]

Boots a kernel under QEMU, once a seed, and compares with what kaslrkit says: where it runs, every word of its image
after self-relocation, the page tables that map it, and the modules it loads. Needs qemu-system-aarch64 (on Debian and
Ubuntu: apt-get install qemu-system-arm).

  --kernel FILE     an arm64 kernel in any form, with kallsyms
  --modules DIR     its modules, as /lib/modules/VERSION
  --cpu CPU         as QEMU takes it (default cortex-a57; neoverse-n1 for 16K pages)
  --seeds N         boots with fresh random seeds (default 1)
  --seed S          this seed; may be repeated
  --count M         modules a boot, or "all" (default 100)
  --matrix NAME     a set of kernels, CPUs and modules: ci or full
  --kernels DIR     where scripts/fetch-kernels.sh put the matrix's kernels (default .kernels)
  --self-test       boots with faults put in on purpose; passes if every one is found
  --timeout S       seconds to wait for a kernel's next stop (default 120)
  --markdown FILE   the report as Markdown, too
`;

export interface Options {
  readonly kernel: string | undefined;
  readonly modules: string | undefined;
  readonly cpu: string | undefined;
  /** Seeds given, or how many to draw. */
  readonly seeds: readonly bigint[] | number;
  readonly count: number;
  readonly matrix: keyof typeof MATRICES | undefined;
  readonly kernels: string;
  readonly selfTest: boolean;
  readonly timeout: number;
  readonly markdown: string | undefined;
}

const isMatrix = (name: string): name is keyof typeof MATRICES => Object.hasOwn(MATRICES, name);

function parseWords(words: string[]) {
  const string = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: words,
      options: {
        kernel: string,
        modules: string,
        cpu: string,
        seeds: string,
        seed: { ...string, multiple: true },
        count: string,
        matrix: string,
        kernels: string,
        'self-test': flag,
        timeout: string,
        markdown: string,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @returns undefined if help was asked for. @throws UsageError, PlacementError BAD_SEED, AddressError */
export function parseOptions(words: string[]): Options | undefined {
  const values = parseWords(words);
  if (values.help) return undefined;
  const { kernel, matrix, seed, seeds, modules, count = '100' } = values;
  if ((kernel === undefined) === (matrix === undefined)) throw new UsageError('one of --kernel and --matrix is needed');
  if (matrix !== undefined && !isMatrix(matrix))
    throw new UsageError(`there is no matrix '${matrix}', but ci and full`);
  if (matrix !== undefined && (seed ?? seeds ?? modules ?? values.cpu ?? values.count) !== undefined) {
    throw new UsageError(
      '--matrix says what is booted: --modules, --cpu, --seed, --seeds and --count go with --kernel',
    );
  }
  if (seed !== undefined && seeds !== undefined) throw new UsageError('--seed and --seeds exclude each other');
  if (values.count !== undefined && modules === undefined) throw new UsageError('--count goes with --modules');
  if (values['self-test'] && values.markdown !== undefined) throw new UsageError('--self-test writes no report');
  return {
    kernel,
    modules,
    cpu: values.cpu,
    seeds: seed?.map(parseSeed) ?? parseCount(seeds ?? '1', '--seeds'),
    count: count === 'all' ? Number.POSITIVE_INFINITY : parseCount(count, '--count'),
    matrix,
    kernels: values.kernels ?? '.kernels',
    selfTest: values['self-test'] ?? false,
    timeout: parseCount(values.timeout ?? '120', '--timeout'),
    markdown: values.markdown,
  };
}
