/** What a thread does of a sweep: modules read and reduced to steps or columns, and boots drawn by others. */
import type { Va } from '../../lib/address.js';
import { ModuleError } from '../../lib/errors.js';
import type { KernelVersion } from '../../lib/kaslr/era.js';
import type { Machine } from '../../lib/kaslr/place.js';
import { type PreparedModule, prepareModule } from '../../lib/module/load.js';
import { isInitRegion, type LoaderEnvironment, loaderRuleOf } from '../../lib/module/loader-rule.js';
import type { Boot } from '../../lib/sweep/boot.js';
import type { DistanceDistribution } from '../../lib/sweep/distance-distribution.js';
import type { ExactResult } from '../../lib/sweep/document.js';
import { sweepModule } from '../../lib/sweep/exact.js';
import type { LinkedModules } from '../../lib/sweep/linked-modules.js';
import { type ModuleColumn, moduleColumn } from '../../lib/sweep/module-column.js';
import { type BootResult, BootSweep } from '../../lib/sweep/sampled.js';
import { readModule } from '../module-files.js';
import { aboutFile } from '../output/error.js';

/** Plain data: it is copied into each thread once. */
export interface SweepContext {
  readonly machine: Machine;
  readonly text: Va | undefined;
  readonly version: KernelVersion;
  readonly environment: Omit<LoaderEnvironment, 'rule'>;
  /** What the kernel exports, and where from `_text`. */
  readonly exports: ReadonlyMap<string, number>;
  /** The release that a module's version magic must begin with; undefined: any. */
  readonly release: string | undefined;
  readonly distances: DistanceDistribution | undefined;
}

/** The jobs by name: what each is given for one task, and what it makes of it. */
export interface SweepJobs {
  exact: { task: readonly string[]; result: ExactResult[] };
  columns: { task: readonly string[]; result: ModuleColumn[] };
  boots: { task: { modules: LinkedModules; boots: readonly Boot[] }; result: BootResult[] };
}

export type JobName = keyof SweepJobs;

export class ModuleWork {
  readonly #context: SweepContext;
  readonly #environment: LoaderEnvironment;

  constructor(context: SweepContext) {
    this.#context = context;
    this.#environment = { ...context.environment, rule: loaderRuleOf(context.version) };
  }

  readonly #kernelExport = (name: string): number | undefined => this.#context.exports.get(name);

  readonly jobs: { [Name in JobName]: (task: SweepJobs[Name]['task']) => Promise<SweepJobs[Name]['result']> } = {
    exact: (files) =>
      this.#eachModule(files, (prepared) => ({
        name: prepared.file.name,
        reserved: prepared.frobbed.reserved.core + prepared.frobbed.reserved.init,
        steps: sweepModule(prepared, this.#kernelExport, this.#context.distances!),
      })),
    columns: (files) => this.#eachModule(files, (prepared) => moduleColumn(prepared, this.#kernelExport)),
    boots: async ({ modules, boots }) => {
      const { machine, text } = this.#context;
      const isInit = this.#environment.rule.scheme.regions.map(isInitRegion);
      const sweep = new BootSweep(modules, { machine, text, isInit });
      return boots.map((boot) => sweep.run(boot));
    },
  };

  async #eachModule<Result>(files: readonly string[], work: (module: PreparedModule) => Result): Promise<Result[]> {
    const results: Result[] = [];
    for (const file of files) {
      const module = await readModule(file);
      results.push(
        await aboutFile(file, () => {
          this.#requireRelease(module.modinfo.vermagic ?? '');
          return work(prepareModule(module, this.#environment));
        }),
      );
    }
    return results;
  }

  #requireRelease(magic: string): void {
    const { release } = this.#context;
    if (release === undefined || magic.split(' ')[0] === release) return;
    throw new ModuleError(
      'WRONG_VERMAGIC',
      `version magic '${magic}' is not for kernel ${release} (--force sweeps it all the same)`,
    );
  }
}
