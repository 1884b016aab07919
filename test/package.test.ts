/**
 * The package as users get it: packed, installed into an empty folder, run and imported. Its dependencies come from the
 * registry, so this is a project of its own that `npm test` leaves out.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = new URL('..', import.meta.url).pathname;
const PLACE = '--era 6.9 --va-bits 48 --image-size 38731776 --seed 0xfedcba9876543210'.split(' ');
const TEXT = '0xffffde3841e00000';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const folder = mkdtempSync(join(tmpdir(), 'kaslrkit-package-'));
const inFolder = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** What the package holds, and every file that installing it made. */
let files: string[] = [];
let installed: string[] = [];

beforeAll(() => {
  // `npm test` and .ci/run build first; a build now would pull dist/ from under other tests.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [tarball] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  files = tarball.files.map(({ path }) => path);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  inFolder('npm', 'install', ...options, join(folder, tarball.filename));
  installed = readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('holds what it runs by and nothing else', () => {
    const kinds = new Set(files.map((file) => /^dist\/(lib|cli)\//.exec(file)?.[0] ?? file));
    const texts = ['README.md', 'LICENSE', 'CHANGELOG.md'];
    expect([...kinds].filter((kind) => !texts.includes(kind)).sort()).toEqual([
      'dist/cli/',
      'dist/lib/',
      'package.json',
    ]);
    for (const file of ['dist/cli/main.js', 'dist/lib/index.js', 'dist/lib/index.d.ts']) expect(files).toContain(file);
  });

  it('brings nothing that runs when it is installed', () => {
    const running = installed.filter((path) => {
      if (!/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path)) return false;
      const { scripts = {} } = JSON.parse(readFileSync(path, 'utf8')) as { scripts?: Record<string, string> };
      return ['preinstall', 'install', 'postinstall'].some((name) => name in scripts);
    });
    expect(running).toEqual([]);
  });

  it('takes the room that README states, with its dependencies', () => {
    const [, stated] = /Installed, they and kaslrkit take ([0-9.]+) MB/.exec(
      readFileSync(join(ROOT, 'README.md'), 'utf8'),
    )!;
    const megabytes = installed.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6;
    // The registry's newest dependencies are installed: they may have grown since.
    expect(megabytes).toBeLessThan(1.25 * Number(stated));
    expect(megabytes).toBeGreaterThan(0.5 * Number(stated));
  });

  it('installs a command', () => {
    expect(inFolder('npx', '--no-install', 'kaslrkit', '--version')).toBe(`${version}\n`);
    const { text } = JSON.parse(inFolder('npx', '--no-install', 'kaslrkit', 'place', ...PLACE, '--json')) as {
      text: string;
    };
    expect(text).toBe(TEXT);
  });

  const PROGRAM = [
    "import { eraByKey, formatVa, geometryOf, type Machine, place } from 'kaslrkit';",
    "const machine: Machine = { era: eraByKey('6.9'), geometry: geometryOf({ pageSize: 4096, vaBits: 48 }), imageSize: 38731776 };",
    'console.log(formatVa(place(machine, { seed: 0xfedcba9876543210n }).text));',
  ].join('\n');

  it('is imported as an ES module', () => {
    const script = PROGRAM.replace('type Machine, ', '').replace(': Machine', '');
    expect(inFolder(process.execPath, '--input-type=module', '--eval', script)).toBe(`${TEXT}\n`);
  });

  it('brings types that need nothing else, and that know what is wrong', () => {
    const compile = (program: string): string => {
      writeFileSync(join(folder, 'program.ts'), `declare const console: { log(line: string): void };\n${program}\n`);
      const compilerOptions = { noEmit: true, strict: true, target: 'es2022', module: 'nodenext', types: [] };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
      const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      try {
        return inFolder(process.execPath, compiler);
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    expect(compile(PROGRAM)).toBe('');
    expect(compile(PROGRAM.replace('0xfedcba9876543210n', '1'))).toContain(
      "Type 'number' is not assignable to type 'bigint'",
    );
  }, 120_000);
});
