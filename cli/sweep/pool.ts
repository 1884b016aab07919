/**
 * Runs the tasks of a sweep on threads, or here if there is little to do: starting a thread takes as long as sweeping 50 modules.
 *
 * Results come in the order of the tasks, whichever ends first. On an interrupt those done so far are returned.
 */
import { Tinypool } from 'tinypool';
import { UsageError } from '../output/error.js';
import { type JobName, ModuleWork, type SweepContext, type SweepJobs } from './module-work.js';
import type { Answer, Request } from './worker.js';

export interface PoolOptions {
  readonly context: SweepContext;
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** In milliseconds: longer than any pause between two tasks. */
const IDLE_TIMEOUT = 60_000;

export class SweepPool {
  readonly #options: PoolOptions;
  readonly #work: ModuleWork;
  #threads: Tinypool | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#work = new ModuleWork(options.context);
  }

  /**
   * @param onDone called with the index of each task that is done
   * @returns the results; undefined for tasks that an interrupt came before
   * @throws UsageError with what is wrong with a task's input
   */
  async run<Name extends JobName>(
    job: Name,
    tasks: readonly SweepJobs[Name]['task'][],
    onDone: (index: number) => void,
  ): Promise<(SweepJobs[Name]['result'] | undefined)[]> {
    const { signal, threads } = this.#options;
    const results = new Array<SweepJobs[Name]['result'] | undefined>(tasks.length).fill(undefined);
    const perform = Math.min(threads, tasks.length) > 1 ? this.#inThread : this.#here;
    // As many at a time as there are threads: tasks in a queue would hold all their input.
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < tasks.length && !signal.aborted) {
        const index = next++;
        const result = await perform(job, tasks[index]!);
        if (result === undefined) return;
        results[index] = result;
        onDone(index);
      }
    };
    await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, work));
    return results;
  }

  readonly #here = async <Name extends JobName>(
    job: Name,
    task: SweepJobs[Name]['task'],
  ): Promise<SweepJobs[Name]['result']> => {
    // Lets an interrupt be heard between two tasks.
    await new Promise((resolve) => setImmediate(resolve));
    return this.#work.jobs[job](task);
  };

  readonly #inThread = async <Name extends JobName>(
    job: Name,
    task: SweepJobs[Name]['task'],
  ): Promise<SweepJobs[Name]['result'] | undefined> => {
    const { context, threads, signal } = this.#options;
    this.#threads ??= new Tinypool({
      filename: new URL('./worker.js', import.meta.url).href,
      // Threads start as tasks come, so that many threads cost nothing where there is little to do.
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_TIMEOUT,
      workerData: context,
    });
    const request: Request<Name> = { job, task };
    try {
      const answer = (await this.#threads.run(request, { signal })) as Answer<SweepJobs[Name]['result']>;
      if ('result' in answer) return answer.result;
      throw new UsageError(answer.failure);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  };

  async close(): Promise<void> {
    await this.#threads?.destroy();
  }
}
