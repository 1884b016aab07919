/**
 * The committed samples are what their sources say: the list of sources they were built from must be current, and where
 * the very toolchain of samples/bin/TOOLCHAIN is installed, a rebuild must give every byte again.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');
const BIN = join(ROOT, 'samples/bin');
const SCRIPT = join(ROOT, 'scripts/build-samples.sh');
/** What TOOLCHAIN lists, one line each. */
const TOOLS = ['aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-ld.bfd', 'ld.lld', 'gzip'];
const SOURCE_FOLDERS = ['samples/kernel', 'samples/module'];
const SOURCE_SCRIPTS = ['scripts/build-samples.sh', 'scripts/kallsyms.mjs'];
const BUDGET = 300_000;

const temporary = mkdtempSync(join(tmpdir(), 'samples-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Why a rebuild here would say nothing about the committed binaries; undefined if it would. */
function rebuildObstacle(): string | undefined {
  const recorded = readFileSync(join(BIN, 'TOOLCHAIN'), 'utf8').trimEnd().split('\n');
  for (const [i, tool] of TOOLS.entries()) {
    const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
    if (status !== 0) return `${tool} is not installed`;
    const version = stdout.split('\n')[0];
    if (version !== recorded[i]) return `they were built by "${recorded[i]}", here is "${version}"`;
  }
  return undefined;
}

describe('samples/bin', () => {
  it('was built from the sources as they are now: if not, run scripts/build-samples.sh', () => {
    const listed = readFileSync(join(BIN, 'SOURCES.sha256'), 'utf8').trimEnd().split('\n');
    const sources = SOURCE_FOLDERS.flatMap((folder) =>
      filesUnder(join(ROOT, folder)).map((name) => `${folder}/${name}`),
    ).concat(SOURCE_SCRIPTS);
    const current = sources.map((name) => `${sha256(join(ROOT, name))}  ${name}`);
    const changed = [...new Set([...listed, ...current])].filter(
      (line) => !listed.includes(line) || !current.includes(line),
    );
    const names = [...new Set(changed.map((line) => line.slice(66)))];
    const advice = names.length > 0 ? `run scripts/build-samples.sh: changed since the build: ${names.join(', ')}` : '';
    expect(advice).toBe('');
  });

  it('stays small: 300 KB of kernels, 300 KB of modules', () => {
    const sizeOf = (files: string[]) => files.reduce((sum, name) => sum + statSync(join(BIN, name)).size, 0);
    const files = filesUnder(BIN);
    const modules = files.filter((name) => name.endsWith('.ko'));
    expect(modules.length).toBeGreaterThan(0);
    expect(sizeOf(modules)).toBeLessThan(BUDGET);
    expect(sizeOf(files.filter((name) => !modules.includes(name)))).toBeLessThan(BUDGET);
  });

  const obstacle = rebuildObstacle();
  if (obstacle !== undefined) {
    process.stderr.write(`samples: not rebuilt and compared with the committed binaries: ${obstacle}\n`);
  } else {
    it('comes out of a rebuild with the same toolchain byte for byte', () => {
      const { status, stderr } = spawnSync('bash', [SCRIPT, temporary], { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(filesUnder(temporary)).toEqual(filesUnder(BIN));
      const different = filesUnder(BIN).filter(
        (name) => !readFileSync(join(BIN, name)).equals(readFileSync(join(temporary, name))),
      );
      expect(different).toEqual([]);
    }, 300_000);
  }
});

describe('scripts/build-samples.sh', () => {
  it('names the packages to install where the toolchain is missing, and writes nothing', () => {
    const target = join(temporary, 'never');
    const { status, stderr } = spawnSync('/bin/bash', [SCRIPT, target], { encoding: 'utf8', env: { PATH: '/none' } });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^build-samples: aarch64-linux-gnu-gcc is missing; apt-get install .*gcc-aarch64-linux-gnu/);
    expect(readdirSync(temporary)).not.toContain('never');
  });
});
