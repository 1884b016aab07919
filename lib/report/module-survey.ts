/**
 * All modules of a kernel, one after another: memory, PLT entries over every placement and findings, each reduced to what the
 * report shows before the next module is opened.
 */
import { ModuleError } from '../errors.js';
import { prepareModule } from '../module/load.js';
import { isInitRegion, type LoaderEnvironment, type RegionName } from '../module/loader-rule.js';
import type { ModuleFile } from '../module/module-file.js';
import type { DistanceDistribution } from '../sweep/distance-distribution.js';
import { sweepModule } from '../sweep/exact.js';
import { verifyModule } from '../verify/verify.js';
import { FindingTable } from './finding-table.js';
import { PltTable } from './plt-table.js';
import { type Findings, isMissing, type ModuleColumns, type Part, type PltColumns } from './report-data.js';

export interface SurveyOptions {
  readonly environment: LoaderEnvironment;
  /** Release that the modules' version magic must name. */
  readonly release: string;
  /** The offset from `_text` of an export of the kernel. */
  readonly kernelExport: (name: string) => number | undefined;
  /** Without them no PLT entries are counted. */
  readonly distances: Part<DistanceDistribution>;
}

export class ModuleSurvey {
  readonly #options: SurveyOptions;
  readonly #plts: Part<PltTable>;
  readonly #findings = new FindingTable();
  readonly #names: string[] = [];
  readonly #sizes: number[][];
  readonly #blocks: readonly RegionName[];
  readonly #branches: number[] = [];
  readonly #reserved: number[] = [];
  readonly #refused: { name: string; reason: string }[] = [];

  constructor(options: SurveyOptions) {
    const { environment, distances } = options;
    this.#options = options;
    this.#blocks = environment.rule.scheme.regions.filter((region) => !isInitRegion(region));
    this.#sizes = this.#blocks.map(() => []);
    this.#plts = isMissing(distances) ? distances : new PltTable(distances);
  }

  /** Takes a module in; one that throws leaves no trace. @throws as `prepareModule`, `sweepModule` and `verifyModule` */
  add(file: ModuleFile): void {
    const { environment, release, kernelExport, distances } = this.#options;
    const magic = file.modinfo.vermagic?.split(' ')[0];
    if (magic !== release) throw new ModuleError('WRONG_VERMAGIC', `version magic is for ${magic ?? 'no kernel'}`);
    const prepared = prepareModule(file, environment);
    const steps = isMissing(distances) ? undefined : sweepModule(prepared, kernelExport, distances);
    const verified = verifyModule(file, { allowAdrp: true });

    const { branches, reserved } = prepared.frobbed;
    this.#names.push(file.name);
    this.#branches.push(branches);
    this.#reserved.push(reserved.core + reserved.init);
    this.#blocks.forEach((block, i) => {
      this.#sizes[i]!.push(prepared.layout.sizes.get(block) ?? 0);
    });
    if (steps && !isMissing(this.#plts)) this.#plts.add(steps);
    this.#findings.add(verified);
  }

  /** Notes a module that cannot be loaded. */
  refuse(name: string, reason: string): void {
    this.#refused.push({ name, reason });
  }

  columns(): ModuleColumns {
    return {
      names: this.#names,
      blocks: this.#blocks.map((name, i) => ({ name, sizes: this.#sizes[i]! })),
      branches: this.#branches,
      reserved: this.#reserved,
      refused: this.#refused,
    };
  }

  /** @param used entries in each boot, which the survey does not count */
  plts(used: PltColumns['used']): Part<PltColumns> {
    return isMissing(this.#plts) ? this.#plts : this.#plts.columns(used);
  }

  findings(): Findings {
    return this.#findings.findings();
  }
}
