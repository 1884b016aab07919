/** Rules of DESIGN.md and CONTRIBUTING.md that a compiler and a linter do not know, over the source tree itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SELF = 'test/tidy.test.ts';

interface Source {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

const read = (path: string): Source => ({ path, text: readFileSync(join(ROOT, path), 'utf8') });

function sources(folder: string, ending: RegExp): Source[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => read(relative(ROOT, join(entry.parentPath, entry.name)).replaceAll(sep, '/')));
}

const lib = sources('lib', /\.ts$/);
const cli = sources('cli', /\.ts$/);
const test = sources('test', /\.ts$/).filter(({ path }) => path !== SELF);
const scripts = sources('scripts', /\.(ts|mjs|sh)$/);
const everything = [...lib, ...cli, ...test, ...scripts];

/** `path: what matched` for every match. */
function matches(files: readonly Source[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([found]) => `${path}: ${found.trim()}`));
}

const withoutComments = ({ path, text }: Source): Source => ({
  path,
  text: text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''),
});

const IMPORT = /^(?:import|export) [^;=']* from '([^']+)';$|\bimport(?: |\()'([^']+)'/gm;
const importsOf = ({ text }: Source): string[] => [...text.matchAll(IMPORT)].map(([, name, lazy]) => (name ?? lazy)!);

describe('what runs for a user', () => {
  const shipped = [...lib, ...cli].map(withoutComments);

  it('evaluates no text and starts no program', () => {
    expect(matches(shipped, /\beval\b|\bnew Function\b|child_process|node:vm\b/g)).toEqual([]);
  });

  it('imports nothing by a name that is computed', () => {
    expect(matches(shipped, /\bimport\((?!').*/g)).toEqual([]);
  });

  it('keeps files, processes and the console out of lib', () => {
    expect(matches(lib.map(withoutComments), /\bprocess\.\w+|\bconsole\.\w+|'(node:)?(fs|os|path|tty)\b.*/g)).toEqual(
      [],
    );
  });
});

describe('imports', () => {
  /** `a, b <- c <- d` in DESIGN.md: who may be imported by whom. */
  const line = /^ {4}(\S.* {2}<- {2}.*)$/m.exec(read('DESIGN.md').text)![1]!;
  const layers = line.split('<-').map((layer) => layer.split(',').map((name) => name.trim()));
  const layerOf = (part: string): number => layers.findIndex((layer) => layer.includes(part));

  /** `mmu` for lib/mmu/walker.ts, `address` for lib/address.ts, `cli` for all of cli. */
  const partOf = (path: string): string => {
    const [top, second] = path.split('/') as [string, string];
    return top === 'lib' ? second.replace(/\.[jt]s$/, '') : top;
  };

  it('know every part', () => {
    const parts = new Set([...lib, ...cli].map(({ path }) => partOf(path)).filter((part) => part !== 'index'));
    expect([...parts].filter((part) => layerOf(part) < 0)).toEqual([]);
  });

  it('go one way', () => {
    const wrong = [...lib, ...cli].flatMap((file) => {
      const from = partOf(file.path);
      if (from === 'index') return [];
      return importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => partOf(join(dirname(file.path), name).replaceAll(sep, '/')))
        .filter((to) => to !== from && layerOf(to) >= layerOf(from))
        .map((to) => `${file.path} imports ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it('of packages are the dependencies of package.json, each of them and no other', () => {
    const { dependencies } = JSON.parse(read('package.json').text) as { dependencies: Record<string, string> };
    // The page of a report is bundled with what it imports.
    const packages = [...lib, ...cli]
      .filter(({ path }) => !path.startsWith('lib/report/page/'))
      .flatMap(importsOf)
      .filter((name) => !/^(\.|node:)/.test(name))
      .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]);
    expect([...new Set(packages)].sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe('README', () => {
  it('gives the reason for every dependency, and for no other', () => {
    const { dependencies } = JSON.parse(read('package.json').text) as { dependencies: Record<string, string> };
    const [, table] = read('README.md').text.split('\n## Dependencies\n');
    const named = [...table!.matchAll(/^\| ([a-z@][a-z0-9@/, -]*?) +\| /gm)].flatMap(([, names]) => names!.split(', '));
    expect(named.filter((name) => name !== 'package').sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe('files', () => {
  it('have at most 200 lines of code', () => {
    const long = [...lib, ...cli, ...scripts.filter(({ path }) => path.endsWith('.ts'))]
      .map((file) => ({
        path: file.path,
        lines: withoutComments(file)
          .text.split('\n')
          .filter((s) => s.trim()).length,
      }))
      .filter(({ lines }) => lines > 200);
    expect(long).toEqual([]);
  });

  it('are named for the idea they hold, in lower case with dashes', () => {
    const parts = everything.flatMap(({ path }) => path.split('/'));
    expect(parts.filter((part) => /^(utils?|helpers?|types?|common|misc)\b/.test(part))).toEqual([]);
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs|sh)$/;
    expect(everything.map(({ path }) => basename(path)).filter((file) => !name.test(file))).toEqual([]);
  });

  it('leave nothing open, silenced or skipped', () => {
    const open = /\b(TODO|FIXME|XXX)\b|@ts-(ignore|nocheck|expect-error)|(biome|eslint)-(ignore|disable)/g;
    expect(matches(everything, open)).toEqual([]);
    expect(matches(everything.map(withoutComments), /\bas any\s*[;,)\]}.>]|: any\s*[;,)\]}=>]|<any\b/g)).toEqual([]);
    expect(matches(test, /\b(it|test|describe)\.(skip|only|todo|failing)\b|\bx(it|describe)\(/g)).toEqual([]);
  });
});

describe('documents', () => {
  const documents = [
    ...readdirSync(ROOT)
      .filter((name) => name.endsWith('.md'))
      .map(read),
    ...sources('docs', /\.md$/).filter(({ path }) => !path.startsWith('docs/api/')),
    ...sources('samples', /\.md$/),
  ];

  it('link to files that are there', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
        .map(([, target]) => target!)
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
