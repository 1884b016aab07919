/** The self-relocation of an image: the loop alone, and the whole `relocate` process, against C that does the same job. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '../../lib/image/kernel.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import { interleaved, median, printFigure, processorTime, seconds } from './measure.js';
import { DELTA, type Yardstick } from './yardstick.js';

/** Passes over the image in one measurement, and measurements. */
const PASSES = 21;
const ROUNDS = 9;
const RUNS = 7;
const CLI = [process.execPath, 'dist/cli/main.js'];

export async function benchRelocationLoop(yardstick: Yardstick, name: string, file: string): Promise<void> {
  const kernel = await openKernel(readFileSync(file));
  const image = kernel.relocatable();
  const { rela, relr } = relocateImage(image, DELTA);
  const count = rela + relr;
  const onePass = (): number => processorTime(() => relocateImage(image, DELTA)) / count;
  const { ours, theirs, ratio } = interleaved(ROUNDS, {
    ours: () => median(Array.from({ length: PASSES }, onePass)),
    theirs: () => yardstick.loop(file, kernel, PASSES),
    value: (nanoseconds) => nanoseconds,
  });
  printFigure({
    what: `${name}: relocation loop, ${count.toLocaleString('en-US')} places, each checked`,
    figure: `${median(ours).toFixed(2)} ns`,
    yardstick: `C ${median(theirs).toFixed(2)} ns`,
    ratio,
    target: 2,
  });
}

export async function benchRelocate(yardstick: Yardstick, name: string, file: string): Promise<void> {
  const kernel = await openKernel(readFileSync(file));
  const output = join(yardstick.folder, 'out');
  const command = [...CLI, 'relocate', file, '--text', '0xffffa00008000000', '-o', output];
  for (const hash of [true, false]) {
    const { ours, theirs, ratio } = yardstick.pair(
      command,
      yardstick.relocateCommand(file, output, kernel, hash),
      RUNS,
    );
    printFigure({
      what: `${name}: relocate, whole process, ${hash ? 'both with SHA-256' : 'C without SHA-256'}`,
      figure: seconds(ours),
      yardstick: `C ${seconds(theirs)}`,
      ratio,
      // Without its own hash the C program does not do the same job.
      ...(hash && { target: 5 }),
    });
    if (!hash) continue;
    const limit = (2 * kernel.image.length) / 1e6 + 80;
    printFigure({
      what: `${name}: relocate, peak memory`,
      figure: `${ours.peakMegabytes.toFixed(0)} MB`,
      yardstick: `2x file + 80 MB = ${limit.toFixed(0)} MB`,
      ratio: ours.peakMegabytes / limit,
      target: 1,
    });
  }
}
