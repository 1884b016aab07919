import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { KaslrkitError } from '../../../lib/errors.js';
import { type LoaderEnvironment, loaderRuleOf, type RegionName } from '../../../lib/module/loader-rule.js';
import { openModule } from '../../../lib/module/module-file.js';
import { ModuleLoader, type ModuleLoaderOptions } from '../../../lib/module/module-loader.js';
import { ALLOC, buildModule, EXEC, NOBITS, type ObjectFile, WRITE } from '../../support/object-file.js';
import { codeOf } from '../../support/thrown.js';

const PAGE = 4096;
const MIB = 2 ** 20;
const BASE = -0x7fff_f000_0000;
const IMAGE = { start: va(BASE + 64 * MIB), end: va(BASE + 65 * MIB) };

function environment(minor: number): LoaderEnvironment {
  const rule = loaderRuleOf({ major: 6, minor });
  return { rule, pageSize: PAGE, kallsyms: 'none', moduleUnload: true, erratum843419: false };
}

function loader(options: Partial<ModuleLoaderOptions> & { minor?: number; size?: number } = {}): ModuleLoader {
  const { minor = 1, size = 128 * MIB } = options;
  return new ModuleLoader({
    environment: environment(minor),
    kernelExport: (name) => (name === 'printk' ? va(IMAGE.start + 0x1000) : undefined),
    image: IMAGE,
    regions: [{ kind: 'direct', base: va(BASE), end: va(BASE + size) }],
    keepInit: false,
    ...options,
  });
}

const text = (pages: number) => ({ name: '.text', flags: ALLOC | EXEC, type: NOBITS, size: pages * PAGE });
const init = (pages: number) => ({ name: '.init.text', flags: ALLOC | EXEC, type: NOBITS, size: pages * PAGE });
const data = (pages: number) => ({ name: '.data', flags: ALLOC | WRITE, type: NOBITS, size: pages * PAGE });
const percpu = (size: number, align: number) => ({
  name: '.data..percpu',
  flags: ALLOC | WRITE,
  type: NOBITS,
  size,
  align,
});
const moduleOf = (file: ObjectFile, ...modinfo: string[]) => openModule(buildModule(file, ...modinfo), 'built');
const addressOf = (module: { sections: readonly { name: string; address: number }[] }, name: string): number =>
  (module.sections.find((section) => section.name === name)!.address - BASE) / PAGE;

describe('ModuleLoader', () => {
  it('takes the regions in their order, each with a guard page, and frees init before the next module', () => {
    const kernel = loader();
    // A PLT of one spare entry, 12 bytes, makes each region a page longer.
    const [first, second] = [0, 1].map(() => kernel.load(moduleOf({ sections: [text(1), data(1), init(2)] })));
    expect([addressOf(first!, '.text'), addressOf(first!, '.data'), addressOf(first!, '.init.text')]).toEqual([
      0, 2, 4,
    ]);
    expect([addressOf(second!, '.text'), addressOf(second!, '.init.text')]).toEqual([4, 8]);
  });

  it('leaves init where it is while no init function has returned', () => {
    const kernel = loader({ keepInit: true });
    const [first, second] = [0, 1].map(() => kernel.load(moduleOf({ sections: [text(1), init(2)] })));
    expect([addressOf(first!, '.init.text'), addressOf(second!, '.text')]).toEqual([3, 7]);
  });

  it('allocates seven regions from 6.4, in the order of their enumeration', () => {
    const rodata = { name: '.rodata', flags: ALLOC, type: NOBITS, size: 1 };
    const after = { name: '.data..ro_after_init', flags: ALLOC | WRITE, type: NOBITS, size: 1 };
    const initData = { name: '.init.data', flags: ALLOC | WRITE, type: NOBITS, size: 1 };
    const initRodata = { name: '.init.rodata', flags: ALLOC, type: NOBITS, size: 1 };
    const all = [initRodata, initData, init(1), after, rodata, data(1), text(1)];
    const module = loader({ minor: 4 }).load(moduleOf({ sections: all }));
    const order = ['.text', '.data', '.rodata', '.data..ro_after_init', '.init.text', '.init.data', '.init.rodata'];
    expect(order.map((name) => addressOf(module, name))).toEqual([0, 3, 5, 7, 9, 12, 14]);
  });

  it('goes around the image', () => {
    const module = loader({ image: { start: va(BASE), end: va(BASE + PAGE + 1) } }).load(
      moduleOf({ sections: [text(1)] }),
    );
    expect(addressOf(module, '.text')).toBe(2);
  });

  it('goes to the next region where the first is full, and back when that has room', () => {
    const regions = [
      { kind: 'direct' as const, base: va(BASE), end: va(BASE + 8 * PAGE) },
      { kind: 'plt' as const, base: va(BASE), end: va(BASE + 64 * MIB) },
    ];
    const kernel = loader({ regions, keepInit: true });
    const places = [4, 4, 0].map((pages) => addressOf(kernel.load(moduleOf({ sections: [text(pages)] })), '.text'));
    // Five pages and a guard, init's own two; no room for the second below page 8; one page of PLT fits nowhere below either.
    expect(places).toEqual([0, 8, 16]);
  });

  it('says which module, region and size find no room, and how large the largest hole is', () => {
    const kernel = loader({ size: 16 * PAGE });
    const thrown = (() => {
      try {
        return kernel.load(moduleOf({ sections: [text(16)] }, 'name=huge'));
      } catch (error) {
        return error as KaslrkitError;
      }
    })();
    expect(thrown).toBeInstanceOf(KaslrkitError);
    expect(thrown).toMatchObject({ code: 'REGION_FULL', details: { module: 'huge', region: 'core', size: 17 * PAGE } });
    expect((thrown as Error).message).toMatch(
      /^huge: no room for 69632 bytes of core in 0xffff800010000000-0xffff800010010000; the largest hole has 65536 bytes$/,
    );
  });

  it('shows a module’s exports to those after it, the kernel’s own first', () => {
    const kernel = loader();
    const strings = Buffer.from('\0printk\0shared\0', 'latin1');
    const entries = [
      { value: 'printk', name: 1n },
      { value: 'shared', name: 8n },
    ];
    const relocations = entries.flatMap(({ value, name }, i) => [
      { offset: 12 * i, type: 261, symbol: `${value}_here` },
      { offset: 12 * i + 4, type: 261, symbol: 'strings', addend: name },
    ]);
    const exporter = moduleOf({
      sections: [
        text(1),
        { name: '__ksymtab', flags: ALLOC, data: new Uint8Array(24) },
        { name: '__ksymtab_strings', flags: ALLOC, data: strings },
      ],
      symbols: [
        { name: 'printk_here', section: '.text', value: 4n },
        { name: 'shared_here', section: '.text', value: 8n },
        { name: 'strings', section: '__ksymtab_strings' },
      ],
      relocations: { __ksymtab: relocations },
    });
    const importer = moduleOf({ sections: [], symbols: [{ name: 'printk' }, { name: 'shared' }] });
    expect(codeOf(() => kernel.load(importer))).toBe('UNDEFINED_SYMBOLS');
    const { exports } = kernel.load(exporter);
    expect([...exports.values()]).toEqual([BASE + 4, BASE + 8]);
    expect(kernel.load(importer).symbols.slice(1)).toEqual([IMAGE.start + 0x1000, BASE + 8]);
  });

  it('takes back all memory of a module that is refused', () => {
    const kernel = loader({ keepInit: true, size: 64 * PAGE });
    const refused = moduleOf({ sections: [text(1), init(1), percpu(64, 64)], symbols: [{ name: 'nobody_has_this' }] });
    const symbols = [{ name: 'counter', section: '.data..percpu' }];
    for (let i = 0; i < 3; i++) expect(codeOf(() => kernel.load(refused))).toBe('UNDEFINED_SYMBOLS');
    expect(codeOf(() => kernel.load(moduleOf({ sections: [text(1), init(64)] })))).toBe('REGION_FULL');
    const module = kernel.load(moduleOf({ sections: [text(1), percpu(64, 64)], symbols }));
    expect([addressOf(module, '.text'), module.symbols[1]! - IMAGE.end]).toEqual([0, 0]);
  });

  it('gives per-CPU data room behind the image, one module after another, aligned', () => {
    const kernel = loader();
    const symbols = [{ name: 'counter', section: '.data..percpu', value: 8n }];
    const places = [100, 100].map(
      (size) => kernel.load(moduleOf({ sections: [percpu(size, 64)], symbols })).symbols[1]! - IMAGE.end,
    );
    expect(places).toEqual([8, 128 + 8]);
  });
});

describe('ModuleLoader with addresses given', () => {
  const at = (memory: Partial<Record<RegionName, number>>, more: { percpu?: number } = {}) => ({
    memory: new Map(Object.entries(memory).map(([region, address]) => [region as RegionName, va(address)])),
    ...(more.percpu !== undefined && { percpu: va(more.percpu) }),
  });
  const module = moduleOf({
    sections: [text(1), init(1), percpu(8, 8)],
    symbols: [{ name: 'c', section: '.data..percpu' }],
  });

  it('puts regions where they are said to be and leaves out the others', () => {
    const { sections, symbols } = loader().load(module, at({ core: BASE + 5 * PAGE }, { percpu: 0x1000 }));
    expect(sections.map(({ name, address }) => [name, (address - BASE) / PAGE])).toEqual([
      ['.text', 5],
      ['.plt', 6],
    ]);
    expect(symbols[1]).toBe(0x1000);
  });

  it('asks for what a plan lacks', () => {
    expect(codeOf(() => loader().load(module, at({ core: BASE })))).toBe('BAD_PLAN');
    expect(codeOf(() => loader({ regions: [] }).load(module))).toBe('BAD_PLAN');
  });
});
