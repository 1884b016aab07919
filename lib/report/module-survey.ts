/**
 * All modules of a kernel, one after another: memory, PLT entries over every placement and findings, each reduced to what the
 * report shows before the next module is opened.
 */
import { va } from '../address.js';
import { ModuleError, RelocationError } from '../errors.js';
import { prepareModule } from '../module/load.js';
import { isInitRegion, type LoaderEnvironment } from '../module/loader-rule.js';
import type { ModuleFile } from '../module/module-file.js';
import { resolveSymbols } from '../module/symbol-resolution.js';
import type { DistanceDistribution } from '../sweep/distance-distribution.js';
import { sweepModule } from '../sweep/exact.js';
import { type ModuleColumn, moduleColumn } from '../sweep/module-column.js';
import type { RuleName } from '../verify/rule.js';
import { verifyModule } from '../verify/verify.js';
import { FindingTable } from './finding-table.js';
import { PltTable } from './plt-table.js';
import { type Findings, isMissing, type ModuleColumns, type Part, type PltColumns } from './report-data.js';

/** What the loader refuses wherever the module lands. */
const REFUSED: readonly RuleName[] = ['got', 'unsupportedType'];

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
  readonly #modules: ModuleColumn[] = [];
  readonly #names = new Set<string>();
  readonly #exported = new Set<string>();
  readonly #branches: number[] = [];
  readonly #refused: { name: string; reason: string }[] = [];

  constructor(options: SurveyOptions) {
    const { distances } = options;
    this.#options = options;
    this.#plts = isMissing(distances) ? distances : new PltTable(distances);
  }

  /**
   * Takes a module in. Of one that throws nothing stays but what `verify` finds in it, which may be why.
   * @throws ModuleError WRONG_VERMAGIC, ALREADY_LOADED, UNDEFINED_SYMBOLS; RelocationError UNKNOWN_TYPE; as `verifyModule`, `prepareModule` and `sweepModule`
   */
  add(file: ModuleFile): void {
    const { environment, release, kernelExport, distances } = this.#options;
    const magic = file.modinfo.vermagic?.split(' ')[0];
    if (magic !== release) throw new ModuleError('WRONG_VERMAGIC', `version magic is for ${magic ?? 'no kernel'}`);
    if (this.#names.has(file.name)) {
      throw new ModuleError('ALREADY_LOADED', `a module of the name ${file.name} comes before it`);
    }
    const verified = verifyModule(file, { allowAdrp: true });
    this.#findings.add(verified);
    const unsupported = verified.findings.find(({ rule }) => REFUSED.includes(rule));
    if (unsupported) throw new RelocationError('UNKNOWN_TYPE', unsupported.message);
    const prepared = prepareModule(file, environment);
    // What nobody exports makes the kernel refuse a module; the addresses are of no interest.
    const isExported = (name: string): boolean => kernelExport(name) !== undefined || this.#exported.has(name);
    const somewhere = va(0);
    resolveSymbols(file, {
      lookup: (name) => (isExported(name) ? somewhere : undefined),
      sectionAddress: () => somewhere,
    });
    const module = moduleColumn(prepared, kernelExport);
    const steps = isMissing(distances) ? undefined : sweepModule(prepared, kernelExport, distances);

    this.#modules.push(module);
    this.#names.add(module.name);
    this.#branches.push(prepared.frobbed.branches);
    for (const name of module.exports.names) this.#exported.add(name);
    if (steps && !isMissing(this.#plts)) this.#plts.add(steps);
  }

  /** Notes a module that cannot be loaded. */
  refuse(name: string, reason: string): void {
    this.#refused.push({ name, reason });
  }

  /** In load order. */
  get modules(): readonly ModuleColumn[] {
    return this.#modules;
  }

  columns(): ModuleColumns {
    const { regions } = this.#options.environment.rule.scheme;
    return {
      names: this.#modules.map(({ name }) => name),
      blocks: regions.flatMap((name, region) =>
        isInitRegion(name) ? [] : [{ name, sizes: this.#modules.map(({ sizes }) => sizes[region]!) }],
      ),
      branches: this.#branches,
      reserved: this.#modules.map(({ reserved }) => reserved),
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
