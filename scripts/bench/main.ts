/**
 * `npm run bench`: every figure beside a yardstick of the same run. README.md says what each isolates.
 *
 * Kernels are looked for in $KASLRKIT_KERNELS or .kernels, where scripts/fetch-kernels.sh puts them.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { benchApply } from './apply.js';
import { benchLoad } from './load.js';
import { benchRelocate } from './relocate.js';
import { benchSymbols } from './symbols.js';
import { Yardstick } from './yardstick.js';

const KERNELS = process.env.KASLRKIT_KERNELS ?? '.kernels';

function findKernel(name: string): string | undefined {
  try {
    const entries = readdirSync(join(KERNELS, name), { withFileTypes: true, recursive: true });
    const found = entries.find((entry) => entry.isFile() && entry.name.startsWith('vmlinuz'));
    return found && join(found.parentPath, found.name);
  } catch {
    return undefined;
  }
}

const SCENARIOS: readonly {
  kernel: string;
  run: (yardstick: Yardstick, name: string, file: string) => Promise<void> | void;
}[] = [
  { kernel: '6.1', run: benchRelocate },
  { kernel: '7.3', run: benchRelocate },
  { kernel: '7.3', run: benchSymbols },
  { kernel: '6.1', run: (yardstick, name, file) => benchLoad(yardstick, name, file, join(KERNELS, name)) },
];

const yardstick = new Yardstick();
try {
  benchApply();
  for (const { kernel, run } of SCENARIOS) {
    const file = findKernel(kernel);
    if (file) await run(yardstick, kernel, file);
    else
      console.log(
        `${kernel}: did not run, no kernel under ${join(KERNELS, kernel)} (scripts/fetch-kernels.sh ${KERNELS} ${kernel})`,
      );
  }
} finally {
  yardstick.remove();
}
