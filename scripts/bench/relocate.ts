/** The relocation loop alone, and the whole `relocate` process, against C that does the same job. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '../../lib/image/kernel.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import { median, pair, printFigure } from './measure.js';
import { DELTA, type Yardstick } from './yardstick.js';

const ROUNDS = 31;
const RUNS = 9;

export async function benchRelocate(yardstick: Yardstick, name: string, file: string): Promise<void> {
  const bytes = readFileSync(file);
  const kernel = await openKernel(bytes);
  const image = kernel.relocatable();
  const nanoseconds: number[] = [];
  let count = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint();
    const { rela, relr } = relocateImage(image, DELTA);
    count = rela + relr;
    nanoseconds.push(Number(process.hrtime.bigint() - start) / count);
  }
  const ours = median(nanoseconds);
  const theirs = yardstick.loop(file, kernel, ROUNDS);
  printFigure({
    what: `${name}: relocation loop, ${count.toLocaleString('en-US')} places, checks included`,
    figure: `${ours.toFixed(2)} ns`,
    yardstick: `C ${theirs.toFixed(2)} ns`,
    ratio: ours / theirs,
    target: 2,
  });

  const output = join(yardstick.folder, 'out');
  const command = [
    process.execPath,
    'dist/cli/main.js',
    'relocate',
    file,
    '--text',
    '0xffffa00008000000',
    '-o',
    output,
  ];
  const whole = pair(yardstick, command, yardstick.relocateCommand(file, output, kernel), RUNS);
  printFigure({
    what: `${name}: relocate, whole process, hash and file included`,
    figure: `${(whole.ours * 1000).toFixed(0)} ms`,
    yardstick: `C ${(whole.theirs * 1000).toFixed(0)} ms`,
    ratio: whole.ratio,
    target: 5,
  });
  const limit = (2 * bytes.length) / 1e6 + 80;
  printFigure({
    what: `${name}: relocate, peak memory`,
    figure: `${whole.peakMegabytes.toFixed(0)} MB`,
    yardstick: `2x file + 80 MB = ${limit.toFixed(0)} MB`,
    ratio: whole.peakMegabytes / limit,
    target: 1,
  });
}
