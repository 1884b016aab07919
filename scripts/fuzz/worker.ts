/** Runs mutants in a thread of its own, so that one that never ends can be given up. */
import { parentPort, workerData } from 'node:worker_threads';
import { tryMutant } from './campaign.js';
import { readSubjects } from './subject.js';

export interface WorkerInput {
  readonly root: string;
  readonly seed: string;
  readonly kinds: readonly string[];
  /** Numbers of the first mutant and of the first that is not tried. */
  readonly from: number;
  readonly to: number;
  /** One 32-bit number: the mutant being tried. */
  readonly progress: SharedArrayBuffer;
}

const { root, seed, kinds, from, to, progress } = workerData as WorkerInput;
const current = new Int32Array(progress);
const subjects = readSubjects(root).filter(({ kind }) => kinds.includes(kind));
for (let index = from; index < to; index++) {
  Atomics.store(current, 0, index);
  const failure = await tryMutant({ root, seed, subjects }, index);
  if (failure) parentPort?.postMessage(failure);
}
