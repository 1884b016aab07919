/** The thread of a sweep. Errors lose their class on the way to another thread, so what a user can mend is handed over in words. */
import Tinypool from 'tinypool';
import { exitCodeOf } from '../output/error.js';
import { type JobName, ModuleWork, type SweepContext, type SweepJobs } from './module-work.js';

const work = new ModuleWork(Tinypool.workerData as SweepContext);

export interface Request<Name extends JobName> {
  readonly job: Name;
  readonly task: SweepJobs[Name]['task'];
}

export type Answer<Result> = { readonly result: Result } | { readonly failure: string };

export default async function perform<Name extends JobName>({
  job,
  task,
}: Request<Name>): Promise<Answer<SweepJobs[Name]['result']>> {
  try {
    return { result: await work.jobs[job](task) };
  } catch (error) {
    if (exitCodeOf(error) === 70) throw error;
    return { failure: (error as Error).message };
  }
}
