import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ET_DYN, ET_EXEC } from '../../lib/elf/constant.js';
import { findSection, openElf } from '../../lib/elf/file.js';
import { MAIN, run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { buildElf } from '../support/elf-builder.js';
import { type BuiltImage, buildImage, buildVmlinux, RELATIVE } from '../support/image-builder.js';
import { readSample, SAMPLE_KERNELS, samplePath } from '../support/sample.js';

interface Relocated {
  text: string;
  offset: string;
  applied: { rela: number; relr: number };
  sha256: string;
  output: string | null;
}

const SEED = '0xfedcba9876543210';
const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const relocate = (file: string, ...args: string[]) => runJson<Relocated>('relocate', file, ...args);

describe.each(SAMPLE_KERNELS)('relocate the $style sample', ({ style, vmlinux, image }) => {
  it('writes what its JSON says, the same for vmlinux and Image', () => {
    const output = path(`${style}.run`);
    const result = relocate(samplePath(image), '--seed', SEED, '-o', output);
    expect(Object.keys(result)).toEqual(['text', 'offset', 'applied', 'sha256', 'output']);
    expect(result.output).toBe(output);
    expect(sha256(output)).toBe(result.sha256);
    expect(relocate(samplePath(vmlinux), '--seed', SEED)).toEqual({ ...result, output: null });
    const { text, offset } = runJson<Relocated>('place', samplePath(image), '--seed', SEED);
    expect([result.text, result.offset]).toEqual([text, offset]);
    // By its run address, as from a crash log, it is the same.
    expect(relocate(samplePath(vmlinux), '--text', text)).toEqual({ ...result, output: null });
  });

  it('writes an ELF at run addresses from either', () => {
    for (const file of [vmlinux, image]) {
      const output = path(`${style}.elf`);
      const result = relocate(samplePath(file), '--seed', SEED, '--format', 'elf', '-o', output);
      expect(sha256(output)).toBe(result.sha256);
      const { header, sections } = openElf(readFileSync(output), [ET_DYN, ET_EXEC]);
      expect(BigInt.asUintN(64, BigInt(header.e_entry))).toBe(BigInt(result.text));
      expect(sections.some(({ name }) => name === '.symtab')).toBe(true);
      expect(findSection({ header, sections, segments: [], bytes: new Uint8Array() }, '.head.text')!.sh_addr).toBe(
        header.e_entry,
      );
    }
  });
});

describe('relocate', () => {
  const image = samplePath('6.1/Image');

  it('changes nothing with seed 0 but what RELA tables hold back', () => {
    expect(relocate(samplePath('6.12/Image.gz'), '--seed', '0')).toMatchObject({ offset: '0x0000000000000000' });
    expect(relocate(image, '--seed', '0').text).toBe('0xffff800008000000');
  });

  it.each(SAMPLE_KERNELS)(
    'takes its own output again, as if it were the $style kernel itself',
    ({ style, image: kernel }) => {
      const once = path(`${style}.once`);
      relocate(samplePath(kernel), '--seed', '0x123456789abcdef', '-o', once);
      expect(relocate(once, '--seed', SEED)).toEqual(relocate(samplePath(kernel), '--seed', SEED));
    },
  );

  it('replaces an older output whole, leaves its input alone and nothing else behind', () => {
    const place = path('replace');
    mkdirSync(place);
    writeFileSync(join(place, 'input'), readSample('6.1/Image'));
    writeFileSync(join(place, 'output'), 'old');
    const before = [sha256(join(place, 'input')), statSync(join(place, 'input')).mtimeMs];
    const { sha256: expected } = relocate(join(place, 'input'), '--seed', SEED, '-o', join(place, 'output'));
    expect(sha256(join(place, 'output'))).toBe(expected);
    expect([sha256(join(place, 'input')), statSync(join(place, 'input')).mtimeMs]).toEqual(before);
    expect(readdirSync(place).sort()).toEqual(['input', 'output']);
  });

  it('prints the same for a person', () => {
    const { status, stdout, stderr } = run(['relocate', image, '--seed', SEED]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^applied +\d+ RELA, 0 RELR$/m);
  });

  it('writes into a pipe instead of replacing it', async () => {
    const pipe = path('pipe');
    execFileSync('mkfifo', [pipe]);
    const hash = createHash('sha256');
    const reader = spawn('cat', [pipe]);
    reader.stdout.on('data', (bytes: Buffer) => hash.update(bytes));
    const writer = spawn(process.execPath, [MAIN, 'relocate', image, '--seed', SEED, '-o', pipe]);
    await Promise.all([reader, writer].map((child) => new Promise((done) => child.on('close', done))));
    expect(hash.digest('hex')).toBe(relocate(image, '--seed', SEED).sha256);
    expect(statSync(pipe).isFIFO()).toBe(true);
  });
});

describe('what relocate refuses, leaving no file behind', () => {
  const BASE = 0xffff800008000000n;
  const record = (offset: number) => ({ place: BASE + BigInt(offset), type: RELATIVE, addend: BASE });
  const built: BuiltImage = { size: 0x1000, base: BASE, relas: { at: 0x800, records: [record(0x200), record(0x208)] } };
  const sample = readSample('6.1/Image');
  const bigEndian = Buffer.from(sample);
  bigEndian[24] = bigEndian[24]! | 1;

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'neither an arm64 vmlinux nor an arm64 Image'],
    ['text', Buffer.from('hello\n'.repeat(100)), 'neither an arm64 vmlinux nor an arm64 Image'],
    ['a big-endian Image', bigEndian, 'big-endian'],
    ['a big-endian vmlinux', Buffer.from(readSample('6.1/vmlinux')).fill(2, 5, 6), 'big-endian'],
    ['a vmlinux of another machine', buildElf({ type: 2, machine: 62 }), 'not 183 (AArch64)'],
    ['a module', readSample('6.1/exporter.ko'), 'ELF type 1'],
    ['half a vmlinux', readSample('6.1/vmlinux').subarray(0, 40000), 'past the end of the file'],
    ['half an Image', sample.subarray(0, 24576), ''],
    ['a damaged archive', readSample('6.12/Image.gz').subarray(0, 5000), 'gzip data is damaged'],
    ['an Image without relocations', buildImage({ size: 0x1000, base: BASE }), 'not relocatable'],
    ['a vmlinux without relocations', buildVmlinux({ size: 0x1000, base: BASE }), 'not relocatable'],
    ['a kernel of no known version', buildImage({ ...built, banner: undefined }), 'Linux version'],
    ['a kernel from before KASLR', buildImage({ ...built, banner: 'Linux version 3.16.0 (x)\n' }), 'this is 3.16'],
    [
      'overlapping places',
      buildImage({ ...built, relas: { at: 0x800, records: [record(0x200), record(0x204)] } }),
      'overlap',
    ],
    [
      'a place outside the file',
      buildImage({ ...built, imageSize: 0x2000, relas: { at: 0x800, records: [record(0x200), record(0xffc)] } }),
      'outside the image',
    ],
  ])('%s', (name, bytes, named) => {
    const place = path(name.replaceAll(' ', '-'));
    mkdirSync(place);
    writeFileSync(join(place, 'kernel'), bytes);
    const line = runRefused(['relocate', join(place, 'kernel'), '--seed', SEED, '-o', join(place, 'out')]);
    expect(line.startsWith(`${join(place, 'kernel')}: `)).toBe(true);
    expect(line).toContain(named);
    expect(readdirSync(place)).toEqual(['kernel']);
  });

  it('a file that is not there, a folder, an output in no folder or onto its input', () => {
    const place = path('outputs');
    mkdirSync(join(place, 'folder'), { recursive: true });
    writeFileSync(join(place, 'kernel'), sample);
    const refuse = (input: string, output: string) => runRefused(['relocate', input, '--seed', SEED, '-o', output]);
    expect(refuse(join(place, 'missing'), join(place, 'out'))).toContain(`${join(place, 'missing')}: no such file`);
    expect(refuse(join(place, 'folder'), join(place, 'out'))).toContain(`${join(place, 'folder')}: is a directory`);
    expect(refuse(join(place, 'kernel'), join(place, 'none', 'out'))).toContain('none/out: no such file');
    expect(refuse(join(place, 'kernel'), join(place, 'folder'))).toContain(`${join(place, 'folder')}: is a directory`);
    expect(refuse(join(place, 'kernel'), join(place, 'folder', '..', 'kernel'))).toContain('is an input');
    expect(readdirSync(place).sort()).toEqual(['folder', 'kernel']);
    expect(readFileSync(join(place, 'kernel')).equals(sample)).toBe(true);
  });

  it.each(['relocate', 'map'])('an output of %s onto the configuration, named or beside the kernel', (command) => {
    const place = path(`config-${command}`);
    mkdirSync(place);
    const [kernel, config, other] = ['vmlinuz-1', 'config-1', 'other'].map((name) => join(place, name));
    writeFileSync(kernel!, readSample('6.1/vmlinux'));
    for (const file of [config, other]) writeFileSync(file!, 'CONFIG_RELOCATABLE=y\n');
    const args = [command, kernel!, '--seed', SEED, ...(command === 'map' ? ['--phys', '0x40200000'] : [])];
    const line = (file: string): string => `${file}: is an input; inputs are never overwritten`;
    expect(runRefused([...args, '-o', config!])).toBe(line(config!));
    expect(runRefused([...args, '--config', other!, '-o', other!])).toBe(line(other!));
    expect(runRefused([...args, '-o', kernel!])).toBe(line(kernel!));
    for (const file of [config, other]) expect(readFileSync(file!, 'utf8')).toBe('CONFIG_RELOCATABLE=y\n');
    // Not read, it is a file like any other.
    expect(run([...args, '-o', other!]).status).toBe(0);
    expect(readFileSync(other!, 'utf8')).not.toContain('CONFIG');
  });
});
