import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { ALLOC, buildModule, EXEC } from '../support/object-file.js';
import { samplePath } from '../support/sample.js';

interface Loaded {
  readonly text: string;
  readonly modules: readonly {
    name: string;
    file: string;
    sections: { name: string; address: string; size: number; sha256: string }[];
    plt: { core: { used: number; reserved: number }; init: { used: number; reserved: number } };
  }[];
}

const folder = temporaryFolder();
const KERNEL = ['--kernel', samplePath('6.1/vmlinux'), '--seed', '0xfedcba9876543210'];
const AT_TEXT = ['--kernel', samplePath('6.1/vmlinux'), '--text', '0xffffa00000000000'];
const TREE = ['--modules', samplePath('6.1')];
const module = (name: string): string => samplePath(`6.1/${name}.ko`);
const MAGIC = 'vermagic=6.1.0-kaslrkit SMP mod_unload modversions aarch64';

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const text = { name: '.text', flags: ALLOC | EXEC, data: new Uint8Array(8) };

describe('load', () => {
  it('loads what a module depends on before it, from the tree', () => {
    const { modules } = runJson<Loaded>('load', module('importer'), ...TREE, ...KERNEL);
    expect(modules.map(({ name, file }) => [name, file])).toEqual([
      ['exporter', samplePath('6.1/exporter.ko')],
      ['importer', module('importer')],
    ]);
  });

  it('loads packed modules as it does plain ones', () => {
    const plain = runJson<Loaded>('load', module('init_only'), ...KERNEL).modules[0]!;
    const gz = written('init_only.ko.gz', gzipSync(readFileSync(module('init_only'))));
    expect(runJson<Loaded>('load', gz, ...KERNEL).modules).toEqual([{ ...plain, file: gz }]);
    for (const kind of ['xz', 'zst']) {
      const file = new URL(`../../scripts/fuzz/corpus/init_only.ko.${kind}`, import.meta.url).pathname;
      expect(runJson<Loaded>('load', file, ...KERNEL).modules[0]!.name).toBe('init_only');
    }
  });

  it('puts modules where a plan says, and says nothing of what the plan leaves out', () => {
    const plan = {
      modules: [{ name: 'percpu', memory: { core: '0xffffa00001000000' }, percpu: '0xffffa00000040000' }],
    };
    const at = written('plan.json', Buffer.from(JSON.stringify(plan)));
    const { sections } = runJson<Loaded>('load', module('percpu'), ...AT_TEXT, '--at', at).modules[0]!;
    expect(sections[0]).toMatchObject({ name: '.text', address: '0xffffa00001000000' });
    expect(sections.map(({ name }) => name)).not.toContain('.init.text');
  });

  it('begins at the module base given, near the kernel without PLT entries, far with', () => {
    const at = (base: string) =>
      runJson<Loaded>('load', module('many_calls'), ...AT_TEXT, '--module-base', base).modules[0]!;
    const [near, far] = [at('0xffffa00001000000'), at('0xffffa00041000000')];
    expect([near.sections[0]!.address, near.plt.core.used]).toEqual(['0xffffa00001000000', 0]);
    expect([far.sections[0]!.address, far.plt.core.used]).toEqual(['0xffffa00041000000', 61]);
  });

  it('writes one ELF a module, named by the module', () => {
    const output = join(folder, 'out');
    mkdirSync(output);
    expect(run(['load', module('importer'), ...TREE, ...KERNEL, '-o', output, '--json']).status).toBe(0);
    expect(readdirSync(output).sort()).toEqual(['exporter.ko', 'importer.ko']);
  });
});

describe('load refuses', () => {
  it('a module of another kernel’s version magic, unless it is forced to', () => {
    const other = samplePath('6.12/percpu.ko');
    expect(runRefused(['load', other, ...KERNEL])).toBe(
      `${other}: version magic '6.12.0-kaslrkit SMP preempt mod_unload aarch64' is not for kernel 6.1.0-kaslrkit (--force loads it all the same)`,
    );
    expect(runJson<Loaded>('load', other, ...KERNEL, '--force').modules.map(({ name }) => name)).toEqual(['percpu']);
  });

  it.each([
    ['no version magic', []],
    ['one that only begins like the kernel’s', ['vermagic=6.1.0-kaslrkit-extra SMP']],
    ['one that the kernel’s begins with', ['vermagic=6.1.0 SMP']],
  ])('a module with %s', (_, modinfo) => {
    const file = written('built.ko', buildModule({ sections: [text] }, ...modinfo));
    expect(runRefused(['load', file, ...KERNEL])).toContain('version magic');
  });

  it('a name that is a path, before anything is written', () => {
    const output = join(folder, 'inside');
    mkdirSync(output);
    const file = written('innocent.ko', buildModule({ sections: [text] }, 'name=../escaped', MAGIC));
    expect(runRefused(['load', file, ...KERNEL, '-o', output])).toBe(`${file}: '../escaped' is no module name`);
    expect(readdirSync(folder)).not.toContain('escaped.ko');
  });

  describe('to replace what it reads:', () => {
    const line = (file: string): string => `${file}: is an input; inputs are never overwritten`;
    /** A folder with copies of samples, and a check that they are all it holds, unchanged. */
    const copies = (name: string, files: Record<string, string>) => {
      const place = join(folder, name);
      mkdirSync(place);
      for (const [copy, sample] of Object.entries(files)) copyFileSync(samplePath(sample), join(place, copy));
      return {
        place,
        expectUnchanged: () => {
          expect(readdirSync(place).sort()).toEqual(Object.keys(files).sort());
          for (const [copy, sample] of Object.entries(files))
            expect(readFileSync(join(place, copy)).equals(readFileSync(samplePath(sample)))).toBe(true);
        },
      };
    };

    it('a module in the folder of the output, however that is named', () => {
      const { place, expectUnchanged } = copies('own', { 'init_only.ko': '6.1/init_only.ko' });
      symlinkSync(place, join(folder, 'own-alias'));
      for (const output of [place, join(folder, 'own-alias'), `${place}/../own/`])
        expect(runRefused(['load', join(place, 'init_only.ko'), ...KERNEL, '-o', output])).toBe(
          line(join(output, 'init_only.ko')),
        );
      expectUnchanged();
      expect(run(['load', join(place, 'init_only.ko'), ...KERNEL, '-o', join(place, 'out')]).status).toBe(0);
      expect(readdirSync(place)).toEqual(['init_only.ko', 'out']);
    });

    it('what it depends on, in the tree, and a module of the tree that is read from elsewhere', () => {
      const { place, expectUnchanged } = copies('tree', { 'exporter.ko': '6.1/exporter.ko' });
      const args = ['--modules', place, ...KERNEL, '-o', place];
      expect(runRefused(['load', module('importer'), ...args])).toBe(line(join(place, 'exporter.ko')));
      expect(runRefused(['load', module('exporter'), ...args])).toBe(line(join(place, 'exporter.ko')));
      expectUnchanged();
    });

    it('the kernel, its configuration, a plan or a System.map, even if called as a module is', () => {
      const taken = (name: string, bytes: Uint8Array | string) => {
        const place = join(folder, name);
        mkdirSync(place);
        const file = join(place, 'init_only.ko');
        writeFileSync(file, bytes);
        return { file, refuse: (...args: string[]) => runRefused(['load', module('init_only'), ...args, '-o', place]) };
      };
      const kernel = taken('as-kernel', readFileSync(samplePath('6.1/vmlinux')));
      expect(kernel.refuse('--kernel', kernel.file, '--seed', '1')).toBe(line(kernel.file));
      const config = taken('as-config', 'CONFIG_RELOCATABLE=y\n');
      expect(config.refuse(...KERNEL, '--config', config.file)).toBe(line(config.file));
      const map = taken('as-map', 'ffff800008000000 T _text\n');
      expect(map.refuse(...KERNEL, '--symbols', map.file)).toBe(line(map.file));
      const memory = { core: '0xffffa00001000000', init: '0xffffa00001100000' };
      const plan = taken('as-plan', JSON.stringify({ modules: [{ name: 'init_only', memory }] }));
      expect(plan.refuse(...AT_TEXT, '--at', plan.file)).toBe(line(plan.file));
      for (const { file } of [kernel, config, map, plan]) expect(readdirSync(dirname(file))).toEqual(['init_only.ko']);
      // What was not read is replaced.
      expect(run(['load', module('init_only'), ...KERNEL, '-o', dirname(plan.file)]).status).toBe(0);
      expect(readFileSync(plan.file).subarray(1, 4).toString()).toBe('ELF');
    });
  });

  it('a live patch', () => {
    const file = written('patch.ko', buildModule({ sections: [text] }, 'name=patch', 'livepatch=Y', MAGIC));
    expect(runRefused(['load', file, ...KERNEL])).toContain('a live patch');
  });

  it('symbols that nobody has, all in one line, and says which module of the tree has them', () => {
    const alone = join(folder, 'importer.ko');
    copyFileSync(module('importer'), alone);
    const message = runRefused(['load', alone, ...KERNEL]);
    for (const symbol of ['exporter_add', 'exporter_double', 'exporter_hits', 'exporter_list'])
      expect(message).toContain(`'${symbol}'`);
    const symbols = [{ name: 'exporter_double' }, { name: 'nobody_has_it' }];
    const careless = written('careless.ko', buildModule({ sections: [text], symbols }, 'name=careless', MAGIC));
    const hint = runRefused(['load', careless, ...TREE, ...KERNEL]);
    expect(hint).toContain(
      "unknown symbol 'exporter_double', 'nobody_has_it' (exporter_double is exported by exporter)",
    );
  });

  it('modules that depend on each other', () => {
    const tree = join(folder, 'cycle');
    mkdirSync(tree);
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      writeFileSync(
        join(tree, `${name}.ko`),
        buildModule({ sections: [text] }, `name=${name}`, `depends=${other}`, MAGIC),
      );
    }
    expect(runRefused(['load', join(tree, 'a.ko'), '--modules', tree, ...KERNEL])).toContain('a -> b -> a');
  });

  it('a plan that is none, by its file name', () => {
    const at = written('bad.json', Buffer.from('{"modules":[{"name":"percpu","memory":{"text":"0x1000"}}]}'));
    expect(runRefused(['load', module('percpu'), ...KERNEL, '--at', at])).toBe(
      `${at}: percpu: this kernel has no region "text", but core, init`,
    );
  });
});
