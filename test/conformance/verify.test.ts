/**
 * verify on every module of real kernels: all are built for the small code model, load wherever their kernels put them, and so must
 * verify without an error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { unpack } from '../../lib/image/container.js';
import { type ModuleFile, openModule } from '../../lib/module/module-file.js';
import { codeModelOf } from '../../lib/verify/code-model.js';
import { verifyModule } from '../../lib/verify/verify.js';
import { describeKernel, oraclesIn, readOracle } from './support/kernels.js';

const MINUTES = 60_000;
const GIB = 2 ** 30;

/** Two are enough: those between have the same types of relocations. */
const KERNELS = oraclesIn('images')
  .map((name) => readOracle<{ id: string; sha256: string }>(name))
  .filter(({ id }) => /^debian-(6\.1|7\.3)\./.test(id));

describe('the kernels', () => {
  it('are one of each layout of modules', () => {
    expect(KERNELS).toHaveLength(2);
  });
});

async function* modulesBeside(kernel: string): AsyncGenerator<ModuleFile> {
  const root = dirname(kernel).replace(/\/boot$/, '');
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.ko(\.\w+)?$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    yield openModule((await unpack(readFileSync(path))).bytes, 'module');
  }
}

for (const { id, sha256 } of KERNELS) {
  describeKernel(id, sha256, (path) => {
    it(
      'has small modules only, all safe within 4 GiB or less',
      async () => {
        let count = 0;
        const odd: string[] = [];
        for await (const module of modulesBeside(path)) {
          count++;
          const { model, window, findings } = verifyModule(module, { allowAdrp: true });
          const errors = findings.filter(({ severity }) => severity === 'error');
          // Without any reference that leaves the module, it may lie anywhere.
          const isSafe = [2 * GIB, 4 * GIB, Number.POSITIVE_INFINITY].includes(window);
          const isSmall = model === 'small' && ['small', 'none'].includes(codeModelOf(module));
          if (!isSmall || !isSafe || errors.length > 0) odd.push(`${module.name}: ${model}, ${errors[0]?.message}`);
        }
        expect(odd).toEqual([]);
        expect(count).toBeGreaterThan(3000);
      },
      10 * MINUTES,
    );
  });
}
