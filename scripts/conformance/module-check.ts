/**
 * Modules as the kernel loads them against `ModuleLoader` at the same addresses: every section, every byte, both PLTs.
 *
 * kaslrkit is told where each region went and nothing else. That the regions go where first fit puts them is checked
 * apart, from where the first module went (or, before 6.0, from the seed).
 */
import { formatVa, type Va, va } from '../../lib/address.js';
import { alignDown } from '../../lib/bits.js';
import { prepareModule } from '../../lib/module/load.js';
import type { LoadedModule, ModuleAddresses } from '../../lib/module/loaded-module.js';
import { type LoaderEnvironment, loaderRuleOf, type RegionName } from '../../lib/module/loader-rule.js';
import type { ModuleFile } from '../../lib/module/module-file.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import type { AllocationCheck } from './allocation-check.js';
import type { BootFacts } from './boot-facts.js';
import { type Check, CheckBuilder } from './check.js';
import type { ModuleRecording, RecordedSection } from './module-recording.js';
import { namesData } from './symbol-range.js';

export class ModuleCheck {
  readonly #check = new CheckBuilder('modules', 'section');
  readonly #environment: LoaderEnvironment;
  readonly #allocation: AllocationCheck;
  readonly #loader: ModuleLoader;

  constructor({ kernel, placement }: BootFacts, allocation: AllocationCheck, erratum843419: boolean) {
    const environment: LoaderEnvironment = {
      rule: loaderRuleOf(kernel.banner),
      pageSize: kernel.pageSize,
      kallsyms: namesData(kernel) ? 'all' : 'functions',
      moduleUnload: kernel.config.moduleUnload,
      erratum843419,
    };
    this.#environment = environment;
    this.#allocation = allocation;
    this.#loader = new ModuleLoader({
      environment,
      kernelExport: (name) => {
        const address = kernel.exports().get(name);
        return address === undefined ? undefined : va(address + placement.offset);
      },
      image: placement.area,
      regions: [],
      keepInit: true,
    });
  }

  /** Compares one module; modules come in the order the kernel loads them. */
  add(file: ModuleFile, recording: ModuleRecording): void {
    this.#check.modules++;
    try {
      const { layout } = prepareModule(file, this.#environment);
      const regionOf = (index: number): RegionName | undefined => layout.places.get(index)?.region;
      const memory = regionAddresses(recording.sections, regionOf, this.#environment.pageSize);
      this.#allocation.add(file.name, layout.sizes, memory);
      const addresses: ModuleAddresses = { memory, percpu: recording.percpu };
      compareModule(this.#check, this.#loader.load(file, addresses), recording);
    } catch (error) {
      this.#check.mismatch(() => `${file.name}: kaslrkit refuses it: ${(error as Error).message}`);
    }
  }

  /** A module that never came to module_finalize(): the kernel's decision, which there is nothing to compare with. */
  refused(name: string): void {
    this.#check.explain(`refused by the kernel: ${name}`);
  }

  /** A module given up after it was relocated, as one whose name has a folder in /sys/module already. */
  dropped(name: string): void {
    this.#allocation.release(name);
    this.#check.explain(`given up by the kernel: ${name}`);
  }

  finish(): Check {
    return this.#check.finish();
  }
}

/** The page that each region's lowest section is on. */
export function regionAddresses(
  sections: readonly RecordedSection[],
  regionOf: (index: number) => RegionName | undefined,
  pageSize: number,
): Map<RegionName, Va> {
  const memory = new Map<RegionName, Va>();
  for (const { index, address } of sections) {
    const region = regionOf(index);
    const page = va(alignDown(address, pageSize));
    if (region !== undefined && page < (memory.get(region) ?? Number.POSITIVE_INFINITY)) memory.set(region, page);
  }
  return memory;
}

/** Section by section, and the PLTs' counters. */
export function compareModule(check: CheckBuilder, loaded: LoadedModule, recording: ModuleRecording): void {
  const ours = new Map(loaded.sections.map((section) => [section.index, section]));
  for (const { index, name, address, bytes } of recording.sections) {
    check.compared++;
    const section = ours.get(index);
    const where = `${loaded.name}: ${name}`;
    if (section === undefined) check.mismatch(() => `${where}: kaslrkit does not load it`);
    else if (section.address !== address) {
      check.mismatch(() => `${where}: kaslrkit says ${formatVa(section.address)}, the kernel ${formatVa(address)}`);
    } else if (section.bytes.length !== bytes.length) {
      check.mismatch(() => `${where}: kaslrkit says ${section.bytes.length} bytes, the kernel ${bytes.length}`);
    } else if (Buffer.compare(section.bytes, bytes) !== 0) {
      check.mismatch(() => `${where}${describeDifference(section.bytes, bytes)}`);
    }
  }
  for (const part of ['core', 'init'] as const) {
    const used = recording.pltEntries?.[part];
    const { used: say } = loaded.plt[part];
    if (used !== undefined && used !== say) {
      check.mismatch(() => `${loaded.name}: kaslrkit says ${say} ${part} PLT entries, the kernel ${used}`);
    }
  }
}

/** The first word that differs, and how many bytes do. */
function describeDifference(ours: Uint8Array, theirs: Uint8Array): string {
  const differs = (i: number): boolean => ours[i] !== theirs[i];
  const first = ours.findIndex((_, i) => differs(i));
  const count = ours.reduce((sum, _, i) => sum + (differs(i) ? 1 : 0), 0);
  const at = alignDown(first, 4);
  const word = (bytes: Uint8Array): string =>
    Buffer.from(bytes.slice(at, at + 4))
      .reverse()
      .toString('hex');
  return `+0x${at.toString(16)}: kaslrkit says ${word(ours)}, memory has ${word(theirs)}; ${count} bytes differ`;
}
