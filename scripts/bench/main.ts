/**
 * `npm run bench [-- --kernels DIR] [--only PART]`: every figure beside a yardstick of the same run.
 * README.md beside this file says what each isolates.
 *
 * Kernels are looked for in $KASLRKIT_KERNELS or .kernels, where scripts/fetch-kernels.sh puts them.
 */
import { readdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchApply } from './apply.js';
import { benchLoad, benchModuleRelocation } from './load.js';
import { benchRelocate, benchRelocationLoop } from './relocate.js';
import { benchSweep, benchSweepGrowth } from './sweep.js';
import { benchSymbols } from './symbols.js';
import { Yardstick } from './yardstick.js';

const { values } = parseArgs({ options: { kernels: { type: 'string' }, only: { type: 'string' } } });
const KERNELS = values.kernels ?? (process.env.KASLRKIT_KERNELS || '.kernels');

function findKernel(name: string): string | undefined {
  try {
    const entries = readdirSync(join(KERNELS, name), { withFileTypes: true, recursive: true });
    const found = entries.find((entry) => entry.isFile() && entry.name.startsWith('vmlinuz'));
    return found && join(found.parentPath, found.name);
  } catch {
    return undefined;
  }
}

interface Scenario {
  /** What `--only` chooses by. */
  readonly part: string;
  /** Name of the kernel's folder; absent where none is needed. */
  readonly kernel?: string;
  readonly run: (yardstick: Yardstick, file: string) => Promise<void> | void;
}

const modulesOf = (kernel: string): string => join(KERNELS, kernel);

const SCENARIOS: readonly Scenario[] = [
  { part: 'apply', run: () => benchApply() },
  { part: 'loop', kernel: '6.1', run: (yardstick, file) => benchRelocationLoop(yardstick, '6.1', file) },
  { part: 'loop', kernel: '7.3', run: (yardstick, file) => benchRelocationLoop(yardstick, '7.3', file) },
  { part: 'relocate', kernel: '6.1', run: (yardstick, file) => benchRelocate(yardstick, '6.1', file) },
  { part: 'relocate', kernel: '7.3', run: (yardstick, file) => benchRelocate(yardstick, '7.3', file) },
  { part: 'symbols', kernel: '7.3', run: (yardstick, file) => benchSymbols(yardstick, '7.3', file) },
  { part: 'module', kernel: '6.1', run: (_, file) => benchModuleRelocation('6.1', file, modulesOf('6.1')) },
  {
    part: 'load',
    kernel: '6.1',
    run: (yardstick, file) => benchLoad(yardstick, '6.1', { kernel: file, folder: modulesOf('6.1') }),
  },
  {
    part: 'sweep',
    kernel: '6.1',
    run: async (yardstick, file) => {
      const swept = { kernel: file, folder: modulesOf('6.1') };
      await benchSweep(yardstick, '6.1', swept);
      await benchSweepGrowth('6.1', swept);
    },
  },
];

const [cpu] = cpus();
console.log(
  `${new Date().toISOString().slice(0, 10)}  ${cpu?.model.trim()}, ${cpus().length} processors, load ${loadavg()[0]!.toFixed(1)}, Node ${process.versions.node}`,
);
const yardstick = new Yardstick();
try {
  for (const { part, kernel, run } of SCENARIOS) {
    if (values.only !== undefined && values.only !== part) continue;
    const file = kernel === undefined ? '' : findKernel(kernel);
    if (file !== undefined) await run(yardstick, file);
    else {
      const fetch = `scripts/fetch-kernels.sh ${KERNELS} ${kernel}`;
      console.log(`${part} of ${kernel}: did not run, no kernel under ${modulesOf(kernel!)} (${fetch})`);
    }
  }
} finally {
  yardstick.remove();
}
