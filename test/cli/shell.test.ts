import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MAIN, run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { readSample, samplePath } from '../support/sample.js';

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const kernel = samplePath('6.1/Image');
const vmlinux = samplePath('6.12/vmlinux');

/** Runs with standard output as it is given, and returns the exit code with what was said on stderr. */
async function runInto(stdout: 'pipe' | number, args: string[], closePipe = false): Promise<[number | null, string]> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', stdout, 'pipe'] });
  if (closePipe) child.stdout?.destroy();
  let said = '';
  child.stderr!.on('data', (text: Buffer) => {
    said += text.toString();
  });
  return new Promise((done) => child.on('close', (code) => done([code, said])));
}

/** Standard output as bytes. */
async function bytesOf(...args: string[]): Promise<{ sha256: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const hash = createHash('sha256');
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => hash.update(bytes));
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  await new Promise((done) => child.on('close', done));
  return { sha256: hash.digest('hex'), stderr };
}

describe('standard output', () => {
  it('takes the image and nothing else with -o -', async () => {
    const { sha256 } = runJson<{ sha256: string }>('relocate', kernel, '--seed', '5');
    for (const dash of [['-o', '-'], ['--output=-']]) {
      expect(await bytesOf('relocate', kernel, '--seed', '5', ...dash)).toEqual({ sha256, stderr: '' });
    }
  });

  it('takes the page tables and nothing else with -o -', async () => {
    const args = ['map', vmlinux, '--seed', '5', '--phys', '0x40200000'];
    expect(run([...args, '-o', at('tables')]).status).toBe(0);
    const sha256 = createHash('sha256')
      .update(readFileSync(at('tables')))
      .digest('hex');
    expect(await bytesOf(...args, '-o', '-')).toEqual({ sha256, stderr: '' });
  });

  it('is no folder for modules', () => {
    const module = samplePath('6.1/many_calls.ko');
    expect(runRefused(['load', module, '--kernel', kernel, '--seed', '5', '-o', '-'])).toContain('a folder is needed');
  });

  if (existsSync('/proc/self')) {
    it('goes to no folder where none can be made', () => {
      const module = samplePath('6.1/init_only.ko');
      for (const output of ['/proc/kaslrkit', '/proc/kaslrkit/deep'])
        expect(runRefused(['load', module, '--kernel', kernel, '--seed', '5', '-o', output])).toBe(
          `${output}: no such file`,
        );
    });
  }

  it('that nobody reads is no error', async () => {
    expect(await runInto('pipe', ['place', kernel, '--seed', '5'], true)).toEqual([0, '']);
  });

  it('that nobody reads does not hide what a check has found', async () => {
    expect(await runInto('pipe', ['verify', samplePath('6.1/mixed.ko')], true)).toEqual([1, '']);
  });

  // Only some systems have a device that is always full.
  if (existsSync('/dev/full')) {
    it('that is full is an error like that of any file', async () => {
      const full = openSync('/dev/full', 'w');
      const said = 'kaslrkit: standard output: no space left on device\n';
      expect(await runInto(full, ['place', kernel, '--seed', '5'])).toEqual([2, said]);
      closeSync(full);
    });
  }
});

describe('standard input', () => {
  const LINE = 'module tun: overflow in relocation type 261 val fffffdfffc000654\n';
  const READ_INPUT = new URL('../../dist/cli/input.js', import.meta.url).href;

  /** Feeds the parts one by one with a pause before each, as a slow writer does. */
  async function feed(args: string[], parts: readonly string[]): Promise<[number | null, string, string]> {
    const child = spawn(process.execPath, args, { stdio: 'pipe' });
    const said = ['', ''];
    for (const [i, stream] of [child.stdout, child.stderr].entries())
      stream.on('data', (text: Buffer) => {
        said[i] += text.toString();
      });
    const closed = new Promise<number | null>((done) => child.on('close', done));
    for (const part of parts) {
      await setTimeout(400);
      child.stdin.write(part);
    }
    child.stdin.end();
    return [await closed, said[0]!, said[1]!];
  }

  it.each([[[]], [['-']]])('is a log that may come late and in parts (explain %j)', async (names) => {
    const parts = ['', LINE.slice(0, 20), LINE.slice(20)];
    const whole = run(['explain'], { input: Buffer.from(LINE) });
    expect(whole.stdout).toContain('overflow');
    expect(await feed([MAIN, 'explain', ...names], parts)).toEqual([0, whole.stdout, '']);
  });

  it('is read whole even if someone made it non-blocking', async () => {
    // The getter of process.stdin does, and reading then fails where nothing has come yet.
    const script = (read: string): string[] => [
      '--input-type=module',
      '-e',
      `import { readFileSync } from 'node:fs'; import { readInput } from '${READ_INPUT}';
       process.stdin; process.stdout.write(${read})`,
    ];
    const parts = ['a', 'b'.repeat(3 * 2 ** 20), 'c'];
    expect((await feed(script('readFileSync(0)'), parts))[2]).toContain('EAGAIN');
    expect(await feed(script("readInput('-')"), parts)).toEqual([0, parts.join(''), '']);
  });

  it('may be a file, and one that is not to be replaced', () => {
    const log = at('kernel.log');
    writeFileSync(log, LINE);
    const redirected = (args: string[], file: string) => {
      const stdin = openSync(file, 'r');
      const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
        stdio: [stdin],
        encoding: 'utf8',
      });
      closeSync(stdin);
      return [status, stdout, stderr];
    };
    expect(redirected(['explain'], log)).toEqual([0, run(['explain', '-'], { input: Buffer.from(LINE) }).stdout, '']);
    const image = at('redirected');
    writeFileSync(image, readSample('6.1/Image'));
    expect(redirected(['relocate', '-', '--seed', '5', '-o', image], image)).toEqual([
      2,
      '',
      `kaslrkit: ${image}: is an input; inputs are never overwritten\n`,
    ]);
    expect(Buffer.compare(readFileSync(image), readSample('6.1/Image'))).toBe(0);
    expect(redirected(['relocate', '-', '--seed', '5', '-o', at('beside')], image)[0]).toBe(0);
  });
});

describe('a module that lies about its name', () => {
  const rename = (name: string): string => {
    const bytes = readSample('6.1/exporter.ko');
    const place = bytes.indexOf('\0name=exporter\0') + '\0name='.length;
    expect(name).toHaveLength('exporter'.length);
    bytes.write(name, place, 'latin1');
    const file = at('renamed.ko');
    writeFileSync(file, bytes);
    return file;
  };
  const load = (file: string): string =>
    runRefused(['load', file, '--kernel', kernel, '--seed', '5', '-o', at('out', 'deep')]);

  it.each(['../xport', '/tmp/xpo', 'a/../../', '..\\xport', 'c:export'])('%s is refused and writes nothing', (name) => {
    const before = readdirSync(folder);
    expect(load(rename(name))).toContain(`renamed.ko: '${name}' is no module name`);
    expect(
      readdirSync(folder).filter((entry) => !before.includes(entry) && !/^(out|renamed\.ko)$/.test(entry)),
    ).toEqual([]);
    expect(readdirSync(at('out'))).toEqual(['deep']);
    expect(readdirSync(at('out', 'deep'))).toEqual([]);
  });

  it('cannot speak to the terminal', () => {
    expect(load(rename('\u001b]0;hey\u0007'))).toContain("'\\x1b]0;hey\\x07' is no module name");
  });
});

it('a log cannot speak to the terminal', () => {
  const input = Buffer.from('module tun\u001b]0;hi\u0007: overflow in relocation type 261 val fffffdfffc000654\n');
  const { stdout } = run(['explain'], { input });
  expect(stdout).toContain('module tun\\x1b]0;hi\\x07: overflow');
  expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
});
