/** Everything a report shows, asked of the library: what cannot be answered for this kernel is left out with the reason. */
import { formatU64, formatVa } from '../lib/address.js';
import { entropyOf } from '../lib/entropy/entropy.js';
import { KaslrkitError } from '../lib/errors.js';
import type { Kernel } from '../lib/image/kernel.js';
import { DEFAULT_CONFIG } from '../lib/image/kernel-config.js';
import { type Machine, type Placement, place } from '../lib/kaslr/place.js';
import { mapKernel } from '../lib/mmu/kernel-mapping.js';
import { inDependencyOrder } from '../lib/module/dependency.js';
import type { LoaderEnvironment } from '../lib/module/loader-rule.js';
import type { ModuleFile } from '../lib/module/module-file.js';
import { bootOf, type PlacedBoot, placedBoot } from '../lib/report/boot.js';
import { countBoots } from '../lib/report/boot-count.js';
import { entropyRows } from '../lib/report/entropy-table.js';
import { imageSegments } from '../lib/report/image-segment.js';
import { ModuleSurvey } from '../lib/report/module-survey.js';
import { isMissing, type KernelFacts, type Missing, type Part, type ReportData } from '../lib/report/report-data.js';
import { spaceRegions } from '../lib/report/space.js';
import { stageMapping } from '../lib/report/stage-mapping.js';
import { drawBoots } from '../lib/sweep/boot.js';
import { moduleDistances } from '../lib/sweep/distance-distribution.js';
import { mappableKernel } from './mapping.js';
import { readModule } from './module-files.js';
import { environmentOf, moduleRandom, type RegionArguments } from './module-session.js';
import { FileError } from './output/error.js';
import { chosenPlace, machineOf, type PlacementArguments, parseSeed, placeMachine } from './placement.js';

/**
 * For who names no boot. Any seeds would do; the first is in the documentation as well, and the second keeps the module region from
 * either end of its window, where 0 puts it.
 */
const DEMONSTRATION = { seed: '0xfedcba9876543210', moduleSeed: 0x0123456789abcdefn };

/** The stream of the boots beside the one asked for, and how many are drawn: a slider with more is hard to aim at. */
const STREAM = 'report';
const DRAWN_BOOTS = 48;

const STAGES = ['early', 'final'] as const;

export interface SurveyRequest {
  readonly kernel: Kernel;
  readonly file: string;
  readonly generator: string;
  readonly options: PlacementArguments & Pick<RegionArguments, 'module-seed' | 'erratum-843419'>;
  /** Files of modules by name; absent: no modules are reported on. */
  readonly modules?: ReadonlyMap<string, string> | undefined;
}

export async function surveyKernel(request: SurveyRequest): Promise<ReportData> {
  const { kernel, options } = request;
  const isChosen = options.seed !== undefined || options.text !== undefined;
  const values = isChosen ? options : { ...options, seed: DEMONSTRATION.seed };
  const machine = machineOf(kernel, values, true);
  const placement = placeMachine(machine, chosenPlace(values));
  const boots = [{ placement, random: chosenRandom(placement, values) }, ...drawnBoots(machine)];
  const modules = await moduleParts(request, { machine, boots });
  const mappable = attempt(() => mappableKernel(kernel, placement, values));
  const text = placement.text;
  return {
    generator: request.generator,
    kernel: kernelFacts(request, machine),
    chosen: isChosen ? (values.text === undefined ? 'seed' : 'text') : 'demonstration',
    boots: boots.map(bootOf),
    stream: STREAM,
    space: spaceRegions(placement.region, machine.geometry),
    segments: isMissing(mappable) ? mappable : imageSegments(mappable.request.boundaries, text),
    ...modules,
    entropy: attempt(() => entropyRows(entropyOf(machine))),
    mapping: isMissing(mappable)
      ? mappable
      : attempt(() => STAGES.map((stage) => stageMapping(stage, mapKernel({ ...mappable.request, stage }), text))),
  };
}

/** What draws the module region: the value given, the seed where the era shares it, else the demonstration's. */
function chosenRandom(placement: Placement, { 'module-seed': given }: SurveyRequest['options']): bigint {
  return moduleRandom(placement, given === undefined ? undefined : parseSeed(given)) ?? DEMONSTRATION.moduleSeed;
}

function drawnBoots(machine: Machine): PlacedBoot[] {
  const stream = drawBoots(STREAM);
  return Array.from({ length: DRAWN_BOOTS }, () => {
    const boot = stream.next().value;
    return placedBoot(place(machine, { seed: boot.seed }), boot);
  });
}

type ModuleParts = Pick<ReportData, 'modules' | 'plts' | 'findings'>;

async function moduleParts(
  request: SurveyRequest,
  { machine, boots }: { machine: Machine; boots: readonly PlacedBoot[] },
): Promise<ModuleParts> {
  if (!request.modules) return { modules: NO_MODULES, plts: NO_MODULES, findings: NO_MODULES };
  const environment = environmentOf(request.kernel, { ...request.options, 'module-base': undefined });
  const survey = await surveyModules(request, { machine, environment, modules: request.modules });
  const used = attempt(() => countBoots(boots, { machine, environment, modules: survey.modules }));
  return { modules: survey.columns(), plts: survey.plts(used), findings: survey.findings() };
}

const NO_MODULES: Missing = { missing: 'no modules were given (--modules)' };

/** What the library refuses is told in the report; everything else is not expected. */
function attempt<T extends object>(work: () => T): Part<T> {
  try {
    return work();
  } catch (error) {
    return { missing: reasonOf(error) };
  }
}

/** Why the library refused. @throws whatever it did not refuse on purpose */
function reasonOf(error: unknown): string {
  const cause = error instanceof FileError ? error.cause : error;
  if (cause instanceof KaslrkitError) return cause.message;
  throw error;
}

async function surveyModules(
  { kernel }: SurveyRequest,
  {
    machine,
    environment,
    modules,
  }: { machine: Machine; environment: LoaderEnvironment; modules: ReadonlyMap<string, string> },
): Promise<ModuleSurvey> {
  const exports = kernel.exports();
  const survey = new ModuleSurvey({
    environment,
    release: kernel.banner.release,
    kernelExport: (name) => {
      const address = exports.get(name);
      return address === undefined ? undefined : address - kernel.linkBase;
    },
    distances: attempt(() => moduleDistances(machine)),
  });
  const open = async (name: string): Promise<ModuleFile | undefined> => {
    const file = modules.get(name);
    try {
      return file === undefined ? undefined : await readModule(file);
    } catch (error) {
      survey.refuse(name, reasonOf(error));
      return undefined;
    }
  };
  for await (const module of inDependencyOrder(modules.keys(), open)) {
    try {
      survey.add(module);
    } catch (error) {
      survey.refuse(module.name, reasonOf(error));
    }
  }
  return survey;
}

function kernelFacts({ kernel, file }: SurveyRequest, { geometry, phys }: Machine): KernelFacts {
  const { banner, format, compression, era, pageSize, vaBits, linkBase, imageSize, tables, config } = kernel;
  return {
    file,
    release: banner.release,
    format,
    compression,
    era: era.key,
    pageSize,
    vaBits,
    vaBitsActual: geometry.vaBitsActual,
    linkBase: formatVa(linkBase),
    imageSize,
    relocations: { rela: tables.rela.count, relr: tables.relr.count },
    exports: kernel.exports().size,
    phys: formatU64(phys ?? 0n),
    fullRegion: config.fullRegion,
    hasConfig: config !== DEFAULT_CONFIG,
  };
}
