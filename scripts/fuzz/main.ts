/**
 * npm run fuzz -- --seed S --count N [--first I] [--kind K]...: feeds damaged files of every kind to the library.
 *
 * A mutant fails if anything but a KaslrkitError escapes, if it takes over 2 s or hundreds of megabytes, or if it never ends.
 * Each failure is printed with the options that make it again.
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Failure } from './campaign.js';
import { KINDS } from './subject.js';
import type { WorkerInput } from './worker.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
/** After this long without progress, in milliseconds, a mutant is taken to never end. */
const PATIENCE = 30_000;
const HEAP_LIMIT = 1024;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: 'kaslrkit' },
    count: { type: 'string', default: '2000' },
    first: { type: 'string', default: '0' },
    kind: { type: 'string', multiple: true, default: [...KINDS] },
  },
});

function report({ index, subject, reason }: Omit<Failure, 'kind'>): void {
  const kinds = values.kind.length < KINDS.length ? values.kind.map((kind) => ` --kind ${kind}`).join('') : '';
  console.log(`mutant ${index} of ${subject}: ${reason}`);
  console.log(`  again: npm run fuzz -- --seed ${values.seed} --first ${index} --count 1${kinds}`);
}

/** Tries mutants from `from` on; resolves with the number of the next one to try. */
function runThread(from: number, to: number, onFailure: (failure: Omit<Failure, 'kind'>) => void): Promise<number> {
  const progress = new SharedArrayBuffer(4);
  const current = new Int32Array(progress);
  Atomics.store(current, 0, from);
  const workerData: WorkerInput = { root: ROOT, seed: values.seed, kinds: values.kind, from, to, progress };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT },
  });
  return new Promise((done) => {
    let seen = -1;
    let reason: string | undefined;
    const watch = setInterval(() => {
      const now = Atomics.load(current, 0);
      if (now === seen) {
        reason = `no end after ${PATIENCE / 1000} s`;
        void worker.terminate();
      }
      seen = now;
    }, PATIENCE);
    worker.on('message', onFailure);
    worker.on('error', (error) => {
      reason = error.stack ?? error.message;
    });
    worker.on('exit', () => {
      clearInterval(watch);
      const index = Atomics.load(current, 0);
      if (reason !== undefined) onFailure({ index, subject: '?', reason });
      done(reason === undefined ? to : index + 1);
    });
  });
}

const first = Number(values.first);
const end = first + Number(values.count);
let failures = 0;
for (let next = first; next < end; ) {
  next = await runThread(next, end, (failure) => {
    failures++;
    report(failure);
  });
}
console.log(`${end - first} mutants of seed ${values.seed}, ${failures} failed`);
process.exitCode = failures > 0 ? 1 : 0;
