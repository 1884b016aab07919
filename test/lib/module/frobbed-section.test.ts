import { describe, expect, it } from '@jest/globals';
import { frobSections, isInitSection } from '../../../lib/module/frobbed-section.js';
import { type LoaderEnvironment, loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { openModule } from '../../../lib/module/module-file.js';
import { buildElf, buildSymbols } from '../../support/elf-builder.js';
import {
  ALLOC,
  buildModule,
  buildObject,
  EXEC,
  modinfoSection,
  type ObjectFile,
  RO_AFTER_INIT,
  WRITE,
} from '../../support/object-file.js';
import { codeOf } from '../../support/thrown.js';

const environment = (major: number, minor: number): LoaderEnvironment => {
  const rule = loaderRuleOf({ major, minor });
  return { rule, pageSize: 4096, kallsyms: 'none', moduleUnload: true, erratum843419: false };
};
const KERNEL = environment(6, 1);
const frob = (file: ObjectFile, kernel = KERNEL) => frobSections(openModule(buildModule(file), 'built'), kernel);
const text = { name: '.text', flags: ALLOC | EXEC, data: new Uint8Array(64) };

function headers(file: ObjectFile, kernel = KERNEL) {
  const { sections } = frob(file, kernel);
  return Object.fromEntries(sections.map(({ section, ...header }) => [section.name, header]));
}

describe('frobSections', () => {
  it('keeps modinfo, versions and per-CPU data out of memory', () => {
    const data = { flags: ALLOC | WRITE, data: new Uint8Array(8) };
    const found = headers({
      sections: [
        { ...data, name: '__versions' },
        { ...data, name: '.data..percpu' },
        { ...data, name: '.data' },
      ],
    });
    const flags = ['.modinfo', '__versions', '.data..percpu', '.data'].map((name) => found[name]!.sh_flags);
    expect(flags).toEqual([0, WRITE, WRITE, ALLOC | WRITE]);
  });

  it('makes two sections read-only after init', () => {
    const data = { flags: ALLOC | WRITE, data: new Uint8Array(8) };
    const found = headers({
      sections: [
        { ...data, name: '__jump_table' },
        { ...data, name: '.data..ro_after_init', flags: ALLOC | WRITE | RO_AFTER_INIT },
      ],
    });
    expect([found.__jump_table!.sh_flags, found['.data..ro_after_init']!.sh_flags]).toEqual(
      Array(2).fill(ALLOC | WRITE | RO_AFTER_INIT),
    );
  });

  it('sizes PLTs and ftrace slots by the kernel’s version, whatever the file says', () => {
    const calls = [1, 2, 3].map((i) => ({ offset: 4 * i, type: 283, symbol: `f${i}` }));
    const file: ObjectFile = {
      sections: [text, { ...text, name: '.text.ftrace_trampoline' }],
      symbols: calls.map(({ symbol }) => ({ name: symbol })),
      relocations: { '.text': [...calls, { offset: 0, type: 0, symbol: 0 }] },
    };
    const sizes = (kernel: LoaderEnvironment) => {
      const found = headers(file, kernel);
      return ['.plt', '.init.plt', '.text.ftrace_trampoline'].map((name) => [
        found[name]!.sh_size,
        found[name]!.sh_addralign,
        found[name]!.isNobits,
      ]);
    };
    expect(sizes(environment(6, 2))).toEqual([
      [48, 64, true],
      [12, 64, true],
      [12, 4, true],
    ]);
    expect(sizes(KERNEL)[2]).toEqual([24, 4, true]);
    expect(sizes(environment(4, 19)).slice(0, 2)).toEqual([
      [64, 64, true],
      [16, 64, true],
    ]);
    // One PLT for all, and .init.plt a section like any other.
    expect(sizes(environment(4, 9)).slice(0, 2)).toEqual([
      [48, 128, true],
      [1, 1, false],
    ]);
  });

  it('counts the calls of init sections apart from 4.12 on', () => {
    const call = { offset: 0, type: 283, symbol: 'f' };
    const none = { offset: 4, type: 0, symbol: 0 };
    const file: ObjectFile = {
      sections: [
        text,
        { ...text, name: '.init.text' },
        { ...text, name: '.exit.text' },
        { ...text, name: '.data', flags: ALLOC | WRITE },
      ],
      symbols: [{ name: 'f' }],
      relocations: { '.text': [call, none], '.init.text': [call, none], '.exit.text': [call, none], '.data': [call] },
    };
    expect(frob(file)).toMatchObject({ reserved: { core: 2, init: 1 }, branches: 4 });
    expect(frob(file, environment(4, 9)).reserved).toEqual({ core: 3, init: 0 });
    expect(frob(file, { ...KERNEL, moduleUnload: false }).reserved).toEqual({ core: 1, init: 2 });
  });

  it('leaves the order of relocations of data alone', () => {
    const records = [3, 1, 2].map((i) => ({ offset: 8 * i, type: 257, symbol: `s${i}` }));
    const file: ObjectFile = {
      sections: [{ ...text, name: '.data', flags: ALLOC | WRITE }],
      symbols: records.map(({ symbol }) => ({ name: symbol })),
      relocations: { '.data': records },
    };
    const { relas } = frob(file).relocations[0]!;
    expect([0, 1, 2].map((i) => relas.offset(i))).toEqual([24, 8, 16]);
  });
});

describe('frobSections refuses', () => {
  it('a module without PLTs, as from a kernel without KASLR', () => {
    expect(
      codeOf(() => frobSections(openModule(buildObject({ sections: [modinfoSection('name=x')] }), 'x'), KERNEL)),
    ).toBe('MISSING_SECTION');
  });

  const rela = { name: '.rela.text', type: 4, data: new Uint8Array(24), entsize: 24n, link: 5 };
  const withTable = (table: object) => {
    const info = modinfoSection('name=x').data!;
    const plts = ['.plt', '.init.plt'].map((name) => ({ name, data: new Uint8Array(1) }));
    const sections = [{ name: '.modinfo', data: info }, ...plts, { ...rela, ...table }, ...buildSymbols([], 6)];
    return () => frobSections(openModule(buildElf({ sections }), 'x'), KERNEL);
  };

  it.each([
    ['RELA that relocates itself', { info: 4 }],
    ['RELA of no section', { info: 0 }],
    ['RELA of a section that is not there', { info: 99 }],
    ['REL', { type: 9, info: 2 }],
    ['entries of another size', { entsize: 16n, info: 2 }],
    ['half an entry', { data: new Uint8Array(36), info: 2 }],
  ])('%s', (_, table) => {
    expect(codeOf(withTable(table))).toBe('BAD_SECTION');
  });

  it('tables that share bytes: a file of a megabyte could hold gigabytes of relocations', () => {
    const data = new Uint8Array(24 * 1000);
    const info = { name: '.modinfo', data: modinfoSection('name=x').data! };
    const plts = ['.plt', '.init.plt'].map((name) => ({ name, data: new Uint8Array(1) }));
    const table = (offset?: bigint) => ({
      ...rela,
      info: 2,
      link: 0,
      data: offset === undefined ? data : new Uint8Array(0),
      ...(offset !== undefined && { offset, size: 24000n }),
    });
    const build = (copies: number) => {
      const shared = Array.from({ length: copies }, () => table(64n));
      const count = 4 + copies;
      return buildElf({ sections: [table(), info, ...plts, ...shared, ...buildSymbols([], count + 2)] });
    };
    const open = (copies: number) => () => frobSections(openModule(build(copies), 'x'), { ...KERNEL });
    expect(codeOf(open(0))).toBeUndefined();
    expect(codeOf(open(2))).toBe('BAD_SECTION');
  });
});

describe('isInitSection', () => {
  it('goes by the beginning of the name; exit goes with init where modules stay', () => {
    const init = (name: string, moduleUnload = true) => isInitSection(name, { ...KERNEL, moduleUnload });
    expect(
      ['.init.text', '.init', '.initx', 'init.text', '.text.init', '.exit.text'].map((name) => init(name)),
    ).toEqual([true, true, true, false, false, false]);
    expect(['.exit.text', '.init.text', '.text'].map((name) => init(name, false))).toEqual([true, true, false]);
  });
});
