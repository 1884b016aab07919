import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { prepareModule } from '../../../lib/module/load.js';
import { type LoaderEnvironment, loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { openModule } from '../../../lib/module/module-file.js';
import {
  ALLOC,
  buildObject,
  EXEC,
  modinfoSection,
  NOBITS,
  type ObjectSection,
  RO_AFTER_INIT,
  WRITE,
} from '../../support/object-file.js';
import { type ReferenceKernel, referenceLayout } from '../../support/reference-layout.js';
import { codeOf } from '../../support/thrown.js';

interface Linked {
  readonly sections: readonly (ObjectSection & {
    readonly flags: number;
    readonly size: number;
    readonly align: number;
  })[];
  readonly symbols: readonly { readonly name: string; readonly section: number | undefined }[];
}

function environmentOf({ split, pageSize, kallsyms, unload }: ReferenceKernel): LoaderEnvironment {
  const rule = loaderRuleOf(split ? { major: 6, minor: 12 } : { major: 6, minor: 1 });
  return { rule, pageSize, kallsyms, moduleUnload: unload, erratum843419: false };
}

const PLTS = ['.plt', '.init.plt'].map((name) => ({ name, type: NOBITS, flags: ALLOC | WRITE, size: 1, align: 1 }));

function layoutOf({ sections, symbols }: Linked, kernel: ReferenceKernel) {
  const info = modinfoSection('name=built');
  const all = [...sections, ...PLTS, { ...info, flags: ALLOC, size: info.data!.length, align: 1 }];
  const bytes = buildObject({
    sections: all,
    symbols: symbols.map(({ name, section }) => ({ name, section: section === undefined ? 0 : section + 1 })),
  });
  const strtabSize = 1 + symbols.reduce((sum, { name }) => sum + (name === '' ? 0 : name.length + 1), 0);
  const { layout } = prepareModule(openModule(bytes, 'built'), environmentOf(kernel));
  const places = [...layout.places].map(([index, { region, offset }]) => [index - 1, `${region}+${offset}`] as const);
  const sizes = [...layout.sizes].filter(([, size]) => size > 0);
  return {
    found: { offsets: new Map(places), sizes: Object.fromEntries(sizes) },
    expected: referenceLayout({ sections: all, symbols, strtabSize }, kernel),
  };
}

function expectAsReference(module: Linked, kernel: ReferenceKernel): void {
  const { found, expected } = layoutOf(module, kernel);
  expect([...found.offsets].sort(([a], [b]) => a - b)).toEqual([...expected.offsets].sort(([a], [b]) => a - b));
  expect(found.sizes).toEqual(Object.fromEntries(Object.entries(expected.sizes).filter(([, size]) => size > 0)));
}

const KINDS = [
  '.text',
  '.init.text',
  '.exit.text',
  '.rodata',
  '.init.rodata',
  '.exit.data',
  '.data',
  '.init.data',
  '.bss',
  '.comment',
];
const flags = fc
  .subarray([ALLOC, ALLOC, ALLOC, WRITE, EXEC, RO_AFTER_INIT])
  .map((set) => set.reduce((all, flag) => all | flag, 0));
const geometry = {
  size: fc.nat({ max: 9000 }),
  align: fc.constantFrom(0, 1, 2, 8, 64, 4096),
  type: fc.constant(NOBITS),
};
const section = (name: string, of: fc.Arbitrary<number>) =>
  fc.record({ name: fc.constant(name), flags: of, ...geometry });
const special = (name: string) => fc.option(section(name, fc.constant(ALLOC | WRITE)), { nil: undefined });
const sections = fc
  .tuple(
    fc.array(
      fc.constantFrom(...KINDS).chain((name) => section(name, flags)),
      { maxLength: 16 },
    ),
    ...['.data..percpu', '.data..ro_after_init', '__jump_table'].map(special),
  )
  .chain(([ordinary, ...specials]) => {
    const numbered = ordinary.map((one, i) => ({ ...one, name: `${one.name}.${i}` }));
    const all = [...numbered, ...specials.filter((one) => one !== undefined)];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });
const linked = sections.chain((all) =>
  fc.record({
    sections: fc.constant(all),
    symbols: fc.array(
      fc.record({
        name: fc.constantFrom('', 'a', 'cleanup_module', 'x'.repeat(300)),
        section: fc.option(fc.nat({ max: all.length + PLTS.length - 1 }), { nil: undefined }),
      }),
      { maxLength: 20 },
    ),
  }),
);
const kernel = fc.record({
  split: fc.boolean(),
  pageSize: fc.constantFrom(4096, 16384, 65536),
  kallsyms: fc.constantFrom('none' as const, 'functions' as const, 'all' as const),
  unload: fc.boolean(),
});

describe('layoutModule', () => {
  it('gives every section the place, and every region the size, of the reference', () => {
    fc.assert(fc.property(linked, kernel, expectAsReference), { numRuns: 2000 });
  });

  const KERNEL_6_1: ReferenceKernel = { split: false, pageSize: 4096, kallsyms: 'functions', unload: true };
  const text = { name: '.text', flags: ALLOC | EXEC, type: NOBITS, size: 100, align: 4 };

  it('appends to core 24 bytes, the name and a byte for each symbol kept, and to init the whole tables', () => {
    const kept = { name: 'cleanup_module', section: 0 };
    const left = { name: 'printk', section: undefined };
    const { found } = layoutOf({ sections: [text], symbols: [kept, left] }, { ...KERNEL_6_1, split: true });
    // The null symbol and one name of 14 characters; three symbols, .strtab of 23 bytes, struct mod_kallsyms at 8.
    expect(found.sizes.data).toBe(2 * 24 + (1 + 15) + 2);
    expect(found.sizes.init_data).toBe(3 * 24 + 24 + 32 + 3);
  });

  it('keeps a page for read-only and one for writable data up to 6.3, and packs from 6.4', () => {
    const data = { ...text, name: '.data', flags: ALLOC | WRITE };
    const rodata = { ...text, name: '.rodata', flags: ALLOC };
    const module = { sections: [data, rodata, text], symbols: [] };
    // Behind .text comes .plt, behind both a page ends.
    expect([...layoutOf(module, KERNEL_6_1).found.offsets.values()]).toEqual(
      expect.arrayContaining(['core+0', 'core+4096', 'core+8192', 'core+128', 'init+0']),
    );
    expect([...layoutOf(module, { ...KERNEL_6_1, split: true }).found.offsets.values()]).toEqual(
      expect.arrayContaining(['text+0', 'rodata+0', 'data+0', 'text+128', 'init_text+0']),
    );
  });
});

describe('a module whose memory the file does not account for', () => {
  const kernel: ReferenceKernel = { split: true, pageSize: 4096, kallsyms: 'none', unload: true };
  const bss = (size: number, align = 8) => ({ name: '.bss', flags: ALLOC | WRITE, type: NOBITS, size, align });
  const MIB = 2 ** 20;

  it('may have 64 MiB of empty data and no more, in all its regions together', () => {
    expect(layoutOf({ sections: [bss(63 * MIB)], symbols: [] }, kernel).found.sizes.data).toBe(63 * MIB);
    for (const sections of [
      [bss(65 * MIB)],
      [bss(2 ** 52)],
      [bss(1), bss(1, 2 ** 27)],
      [bss(33 * MIB), { ...bss(33 * MIB), name: '.init.bss' }],
    ]) {
      expect(codeOf(() => layoutOf({ sections, symbols: [] }, kernel))).toBe('BAD_LAYOUT');
    }
  });
});
