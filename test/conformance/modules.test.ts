/**
 * Module loads against booted kernels: where each section went, its bytes to the last, and the PLT entries used.
 *
 * modules/*.json.gz hold, of one boot under QEMU, every module in the order of its loading: `[name, address, size, SHA-256 (24
 * digits), flags]` of its sections at the entry of module_finalize(). Init functions were skipped, so init memory stays.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { environmentOf } from '../../cli/module-session.js';
import { formatVa, type Va, va } from '../../lib/address.js';
import { alignDown } from '../../lib/bits.js';
import { unpack } from '../../lib/image/container.js';
import { type Kernel, openKernel } from '../../lib/image/kernel.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { DIRECT_SIZE, type ModuleRegion, PLT_SIZE } from '../../lib/kaslr/module-region.js';
import { place } from '../../lib/kaslr/place.js';
import type { LoadedModule, ModuleAddresses } from '../../lib/module/loaded-module.js';
import type { RegionName } from '../../lib/module/loader-rule.js';
import { openModule } from '../../lib/module/module-file.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import { describeKernel, oraclesIn, sha256 } from './support/kernels.js';

type RecordedSection = [name: string, address: number, size: number, sha256: string, flags: number];

interface RecordedModule {
  name: string;
  percpu: number | null;
  plt: Record<string, number>;
  sections: RecordedSection[];
}

interface Recording {
  kernel: string;
  kernelSha256: string;
  text: number;
  modules: RecordedModule[];
}

const MINUTES = 60_000;
const DEFAULTS = { 'module-seed': undefined, 'module-base': undefined, 'erratum-843419': undefined };
const [EXEC, WRITE, RO_AFTER_INIT] = [4, 1, 0x200000];

function readRecording(name: string): Recording {
  const recording = JSON.parse(gunzipSync(readFileSync(new URL(name, import.meta.url))).toString('utf8')) as Recording;
  const seen = new Set<string>();
  // A module whose load was tried twice counts once.
  return { ...recording, modules: recording.modules.filter((one) => !seen.has(one.name) && seen.add(one.name)) };
}

/** The region a section was in, by name and flags: two up to 6.3, seven after. */
function regionOf([name, , , , flags]: RecordedSection, split: boolean): RegionName {
  const init = name.startsWith('.init');
  if (!split) return init ? 'init' : 'core';
  if (flags & EXEC) return init ? 'init_text' : 'text';
  if (!(flags & WRITE)) return init ? 'init_rodata' : 'rodata';
  if (flags & RO_AFTER_INIT && !init) return 'ro_after_init';
  return init ? 'init_data' : 'data';
}

/** Where each region began: the page of its lowest section. */
function addressesOf({ sections, percpu }: RecordedModule, kernel: Kernel, split: boolean): ModuleAddresses {
  const memory = new Map<RegionName, Va>();
  for (const section of sections) {
    const region = regionOf(section, split);
    const page = va(alignDown(section[1], kernel.pageSize));
    memory.set(region, va(Math.min(page, memory.get(region) ?? page)));
  }
  return { memory, ...(percpu !== null && { percpu: va(percpu) }) };
}

/** What of a load is not as recorded. */
function differences(loaded: LoadedModule, recorded: RecordedModule, withBytes: boolean): string[] {
  const sections = loaded.sections.filter(
    ({ bytes, name }) => bytes.length > 0 && name !== '.gnu.linkonce.this_module',
  );
  const lines = (list: RecordedSection[]) =>
    new Set(
      list.map(([name, address, size, hash]) => [name, formatVa(va(address)), size, withBytes ? hash : ''].join(' ')),
    );
  const found = lines(
    sections.map(({ name, address, bytes, sh_flags }) => [
      name,
      address,
      bytes.length,
      sha256(bytes).slice(0, 24),
      sh_flags,
    ]),
  );
  const expected = lines(recorded.sections);
  const used: [string, number][] = [
    ['.plt', loaded.plt.core.used],
    ['.init.plt', loaded.plt.init.used],
  ];
  return [
    ...[...expected].filter((line) => !found.has(line)).map((line) => `${recorded.name}: not ${line}`),
    ...[...found].filter((line) => !expected.has(line)).map((line) => `${recorded.name}: but ${line}`),
    ...used
      .filter(([name, count]) => name in recorded.plt && recorded.plt[name] !== count)
      .map(([name, count]) => `${recorded.name}: ${count} entries of ${name}, not ${recorded.plt[name]}`),
  ];
}

/** Paths of the modules beside a kernel, by name. */
function modulesBeside(kernel: string): Map<string, string> {
  const root = dirname(kernel).replace(/\/boot$/, '');
  const files = readdirSync(root, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return new Map(
    files.flatMap((entry) => {
      const name = /^(.+)\.ko(\.\w+)?$/.exec(entry.name)?.[1];
      return name === undefined ? [] : [[name.replaceAll('-', '_'), join(entry.parentPath, entry.name)]];
    }),
  );
}

const RECORDINGS = oraclesIn('modules').map(readRecording);

describe('the recordings', () => {
  it.each(RECORDINGS)('$kernel: hundreds of modules, thousands of sections', ({ modules }) => {
    expect(modules.length).toBeGreaterThan(300);
    expect(modules.reduce((sum, { sections }) => sum + sections.length, 0)).toBeGreaterThan(5000);
    expect(modules.filter(({ plt }) => (plt['.plt'] ?? 0) > 0).length).toBeGreaterThan(100);
  });
});

for (const { kernel: name, kernelSha256, text, modules } of RECORDINGS) {
  describeKernel(`modules of ${name}`, kernelSha256, (path) => {
    const open = async (regions: readonly ModuleRegion[]): Promise<{ kernel: Kernel; loader: ModuleLoader }> => {
      const kernel = await openKernel(readFileSync(path));
      const { era, banner, imageSize, linkBase } = kernel;
      const machine = { era, release: banner.release, imageSize, linkBase, geometry: geometryOf(kernel) };
      const exports = kernel.exports();
      const loader = new ModuleLoader({
        environment: environmentOf(kernel, DEFAULTS),
        kernelExport: (symbol) => {
          const address = exports.get(symbol);
          return address === undefined ? undefined : va(address + text - kernel.linkBase);
        },
        image: place(machine, { text: va(text) }).area,
        regions,
        keepInit: true,
      });
      return { kernel, loader };
    };

    /** Loads the modules in the recorded order and says what differs. */
    const compare = async (
      loader: ModuleLoader,
      addresses?: (module: RecordedModule) => ModuleAddresses,
    ): Promise<string[]> => {
      const files = modulesBeside(path);
      const found: string[] = [];
      for (const module of modules) {
        const { bytes } = await unpack(readFileSync(files.get(module.name)!));
        const loaded = loader.load(openModule(bytes, module.name), addresses?.(module));
        found.push(...differences(loaded, module, addresses !== undefined));
      }
      return found;
    };

    it(
      'have every section’s bytes, where each region is said to be',
      async () => {
        const { kernel, loader } = await open([]);
        const split = environmentOf(kernel, DEFAULTS).rule.scheme.regions.length > 2;
        expect(await compare(loader, (module) => addressesOf(module, kernel, split))).toEqual([]);
      },
      10 * MINUTES,
    );

    it(
      'go to the same addresses, from that of the first alone',
      async () => {
        const lowest = Math.min(...modules[0]!.sections.map(([, address]) => address));
        const { kernel } = await open([]);
        const base = va(alignDown(lowest, kernel.pageSize));
        const region = (kind: ModuleRegion['kind'], size: number): ModuleRegion => ({
          kind,
          base,
          end: va(base + size),
        });
        const { loader } = await open([region('direct', DIRECT_SIZE), region('plt', PLT_SIZE)]);
        expect(await compare(loader)).toEqual([]);
      },
      10 * MINUTES,
    );
  });
}
