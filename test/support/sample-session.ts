/** A sample kernel at a run address, and sample modules loaded into it near or far from it. */
import { type Va, va } from '../../lib/address.js';
import { type Kernel, openKernel } from '../../lib/image/kernel.js';
import { openVmlinux, vmlinuxSymbols } from '../../lib/image/vmlinux.js';
import type { LoadedModule } from '../../lib/module/loaded-module.js';
import { loaderRuleOf } from '../../lib/module/loader-rule.js';
import { openModule } from '../../lib/module/module-file.js';
import { ModuleLoader } from '../../lib/module/module-loader.js';
import { type RawObject, readObject } from './raw-object.js';
import { type Addresses, symbolAddress } from './reference-load.js';
import { readSample } from './sample.js';

const MIB = 2 ** 20;
/** A multiple of 2 MiB with bits in both halves of an address. */
const OFFSET = 0x1234_5680_0000;

export interface LoadedSample {
  readonly object: RawObject;
  readonly loaded: LoadedModule;
  readonly addresses: Addresses;
}

export interface SessionOptions {
  /** `near`: 16 MiB from the image; `far`: 1 GiB, out of every branch's reach. */
  readonly distance: 'near' | 'far';
  readonly erratum843419?: boolean;
}

export class SampleSession {
  readonly kernel: Kernel;
  readonly #style: string;
  readonly #loader: ModuleLoader;
  readonly #symbols: ReadonlyMap<string, bigint>;
  readonly #loaded: LoadedSample[] = [];

  private constructor(style: string, kernel: Kernel, { distance, erratum843419 = false }: SessionOptions) {
    const start = va(kernel.linkBase + OFFSET);
    const end = va(start + kernel.imageSize);
    const base = va(start + (distance === 'near' ? 16 : 1024) * MIB);
    this.kernel = kernel;
    this.#style = style;
    this.#loader = new ModuleLoader({
      environment: {
        rule: loaderRuleOf(kernel.banner),
        pageSize: 4096,
        kallsyms: 'all',
        moduleUnload: true,
        erratum843419,
      },
      kernelExport: (name) => this.#exported(name),
      image: { start, end },
      regions: [{ kind: 'plt', base, end: va(base + 64 * MIB) }],
      keepInit: true,
    });
    // Out of the vmlinux's symbol table, where the loader looks into __ksymtab.
    const { names, addresses } = vmlinuxSymbols(openVmlinux(readSample(`${style}/vmlinux`)));
    this.#symbols = new Map(names.map((name, i) => [name, BigInt(addresses[i]! + OFFSET)]));
  }

  static async open(style: string, options: SessionOptions): Promise<SampleSession> {
    return new SampleSession(style, await openKernel(readSample(`${style}/vmlinux`)), options);
  }

  #exported(name: string): Va | undefined {
    const address = this.kernel.exports().get(name);
    return address === undefined ? undefined : va(address + OFFSET);
  }

  load(name: string): LoadedSample {
    const bytes = readSample(`${this.#style}/${name}.ko`);
    const object = readObject(bytes);
    const loaded = this.#loader.load(openModule(bytes, name));
    const percpu = object.symbols.findIndex(({ section }) => object.sections[section]?.name === '.data..percpu');
    const addresses: Addresses = {
      section: (index) => {
        const section = loaded.sections.find((one) => one.index === index);
        return section && BigInt(section.address);
      },
      percpu: percpu < 0 ? 0n : BigInt(loaded.symbols[percpu]!) - object.symbols[percpu]!.value,
      imported: (symbol) => this.#imported(symbol),
    };
    const sample = { object, loaded, addresses };
    this.#loaded.push(sample);
    return sample;
  }

  /** The kernel's symbol, or the global one of a module loaded before. */
  #imported(name: string): bigint {
    const own = this.#symbols.get(name);
    if (own !== undefined) return own;
    for (const { object, addresses } of this.#loaded) {
      const index = object.symbols.findIndex((one) => one.name === name && one.bind === 1 && one.section !== 0);
      if (index >= 0) return symbolAddress(object, index, addresses);
    }
    throw new Error(`nobody exports ${name}`);
  }
}
