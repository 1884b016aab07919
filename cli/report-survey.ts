/** Everything a report shows, asked of the library: what cannot be answered for this kernel is left out with the reason. */
import { formatU64, formatVa } from '../lib/address.js';
import { entropyOf } from '../lib/entropy/entropy.js';
import { KaslrkitError } from '../lib/errors.js';
import type { Kernel } from '../lib/image/kernel.js';
import { DEFAULT_CONFIG } from '../lib/image/kernel-config.js';
import { type Machine, type Placement, place } from '../lib/kaslr/place.js';
import { mapKernel } from '../lib/mmu/kernel-mapping.js';
import { inDependencyOrder } from '../lib/module/dependency.js';
import type { ModuleFile } from '../lib/module/module-file.js';
import { bootOf, drawnBoot } from '../lib/report/boot.js';
import { drawSeeds } from '../lib/report/boot-stream.js';
import { entropyRows } from '../lib/report/entropy-table.js';
import { imageSegments } from '../lib/report/image-segment.js';
import { ModuleSurvey } from '../lib/report/module-survey.js';
import {
  type Boot,
  isMissing,
  type KernelFacts,
  type Missing,
  type Part,
  type ReportData,
} from '../lib/report/report-data.js';
import { spaceRegions } from '../lib/report/space.js';
import { stageMapping } from '../lib/report/stage-mapping.js';
import { moduleDistances } from '../lib/sweep/distance-distribution.js';
import { mappableKernel } from './mapping.js';
import { readModule } from './module-files.js';
import { environmentOf, type RegionArguments, regionsOf } from './module-session.js';
import { FileError } from './output/error.js';
import { chosenPlace, machineOf, type PlacementArguments, parseSeed } from './placement.js';

/**
 * For who names no boot. Any seeds would do; the first is in the documentation as well, and the second keeps the module region from
 * either end of its window, where 0 puts it.
 */
const DEMONSTRATION = { seed: '0xfedcba9876543210', 'module-seed': '0x0123456789abcdef' };

/** The stream of the boots beside the one asked for, and how many are drawn: a slider with more is hard to aim at. */
const STREAM = 'report';
const DRAWN_BOOTS = 48;

export interface SurveyRequest {
  readonly kernel: Kernel;
  readonly file: string;
  readonly generator: string;
  readonly options: PlacementArguments & RegionArguments;
  /** Files of modules by name; absent: no modules are reported on. */
  readonly modules?: ReadonlyMap<string, string> | undefined;
}

export async function surveyKernel(request: SurveyRequest): Promise<ReportData> {
  const { kernel, options, modules } = request;
  const isChosen = options.seed !== undefined || options.text !== undefined;
  const values = withDefaults(options, kernel);
  const machine = machineOf(kernel, values, true);
  const placement = place(machine, chosenPlace(values));
  const drawn = drawSeeds(STREAM, DRAWN_BOOTS);
  const survey = modules && (await surveyModules(request, { machine, modules }));
  const mappable = attempt(() => mappableKernel(kernel, placement, values));
  const text = placement.text;
  return {
    generator: request.generator,
    kernel: kernelFacts(request, machine),
    chosen: isChosen ? (values.text === undefined ? 'seed' : 'text') : 'demonstration',
    boots: [
      chosenBoot(placement, kernel, values),
      ...drawn.map(({ seed, moduleSeed }) => drawnBoot(place(machine, { seed }), moduleSeed)),
    ],
    stream: STREAM,
    space: spaceRegions(placement.region, machine.geometry),
    segments: isMissing(mappable) ? mappable : imageSegments(mappable.request.boundaries, text),
    modules: survey?.columns() ?? NO_MODULES,
    plts: survey?.plts(NOT_COUNTED) ?? NO_MODULES,
    entropy: attempt(() => entropyRows(entropyOf(machine))),
    mapping: isMissing(mappable)
      ? mappable
      : attempt(() =>
          (['early', 'final'] as const).map((stage) =>
            stageMapping(stage, mapKernel({ ...mappable.request, stage }), text),
          ),
        ),
    findings: survey?.findings() ?? NO_MODULES,
  };
}

type Values = SurveyRequest['options'];

/** The demonstration's seed where no boot is named, and its module seed where nothing else says where modules go. */
function withDefaults(options: Values, kernel: Kernel): Values {
  const { seed, text, 'module-seed': moduleSeed, 'module-base': moduleBase } = options;
  const chosen = (seed ?? text) !== undefined ? options : { ...options, seed: DEMONSTRATION.seed };
  const isKnown = (moduleSeed ?? moduleBase) !== undefined;
  const isShared = kernel.era.moduleSeed === 'image' && text === undefined;
  return isKnown || isShared ? chosen : { ...chosen, 'module-seed': DEMONSTRATION['module-seed'] };
}

function chosenBoot(placement: Placement, kernel: Kernel, values: Values): Boot {
  const { 'module-seed': seed } = values;
  const moduleSeed = seed === undefined ? undefined : parseSeed(seed);
  return bootOf(placement, { regions: regionsOf(placement, kernel, values), moduleSeed });
}

const NOT_COUNTED: Missing = { missing: 'the boots were placed, not loaded' };
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
  { kernel, options }: SurveyRequest,
  { machine, modules }: { machine: Machine; modules: ReadonlyMap<string, string> },
): Promise<ModuleSurvey> {
  const exports = kernel.exports();
  const survey = new ModuleSurvey({
    environment: environmentOf(kernel, options),
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
