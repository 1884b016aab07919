import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { isMissing, type ReportData } from '../../lib/report/report-data.js';
import { run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { readSample, samplePath } from '../support/sample.js';

interface Written {
  output: string;
  size: number;
  seed: string | null;
  text: string;
  modules: { listed: number; refused: { name: string; reason: string }[] } | null;
}

const SEED = '0xfedcba9876543210';
const folder = temporaryFolder();
const kernel = samplePath('6.12/vmlinux');
const modules = join(folder, 'modules');
const inFolder = (name: string): string => join(folder, name);
const report = (name: string, ...more: string[]): string[] => [
  'report',
  '--kernel',
  kernel,
  '-o',
  inFolder(name),
  ...more,
];

function dataOf(name: string): ReportData {
  const html = readFileSync(inFolder(name), 'utf8');
  return JSON.parse(/id="report">(.*?)<\/script>/s.exec(html)![1]!) as ReportData;
}

beforeAll(() => {
  mkdirSync(modules);
  for (const name of ['exporter', 'importer', 'many_calls']) {
    writeFileSync(join(modules, `${name}.ko`), readSample(`6.12/${name}.ko`));
  }
});

describe('report', () => {
  it('writes one HTML file that refers to no other', () => {
    const written = runJson<Written>(...report('one.html', '--modules', modules));
    const html = readFileSync(inFolder('one.html'), 'utf8');
    expect(written).toMatchObject({ output: inFolder('one.html'), size: Buffer.byteLength(html) });
    expect(html.startsWith('<!doctype html>\n')).toBe(true);
    // What the scripts hold is text; only markup and style sheets refer to anything.
    const markup = html.replaceAll(/(<script[^>]*>).*?<\/script>/gs, '$1');
    expect(markup.length).toBeLessThan(20_000);
    expect(markup.match(/\b(?:src|href)="(?!data:,")|@import|url\(/g)).toBeNull();
  });

  it('writes the same bytes again', () => {
    for (const name of ['a.html', 'b.html']) runJson(...report(name, '--modules', modules, '--seed', '7'));
    expect(readFileSync(inFolder('a.html')).equals(readFileSync(inFolder('b.html')))).toBe(true);
  });

  it('shows a demonstration seed where none is given, and says so', () => {
    const { stdout, status } = run(report('demonstration.html'));
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^seed +${SEED} \\(a demonstration`, 'm'));
    const { chosen, boots } = dataOf('demonstration.html');
    expect([chosen, boots[0]!.seed]).toEqual(['demonstration', SEED]);
  });

  it('shows the boot that is asked for, as place puts it', () => {
    const placed = runJson<{ text: string }>('place', kernel, '--seed', '0x123456789abcdef0');
    runJson(...report('seed.html', '--seed', '0x123456789abcdef0'));
    const bySeed = dataOf('seed.html');
    expect(bySeed.chosen).toBe('seed');
    expect(bySeed.boots[0]).toMatchObject({ seed: '0x123456789abcdef0', text: placed.text });
    const byText = runJson<Written>(...report('text.html', '--text', placed.text));
    expect(byText).toMatchObject({ seed: null, text: placed.text });
    const { chosen, boots } = dataOf('text.html');
    expect([chosen, boots[0]!.text, boots[0]!.seed]).toEqual(['text', placed.text, undefined]);
    expect(boots.slice(1)).toEqual(bySeed.boots.slice(1));
  });

  it('lists modules in the order in which they can be loaded, and those that cannot be', () => {
    const mixed = inFolder('mixed');
    mkdirSync(mixed);
    for (const name of ['importer', 'exporter'])
      writeFileSync(join(mixed, `${name}.ko`), readSample(`6.12/${name}.ko`));
    writeFileSync(join(mixed, 'foreign.ko'), readSample('6.1/large.ko'));
    writeFileSync(join(mixed, 'broken.ko'), 'no module at all');
    const written = runJson<Written>(...report('mixed.html', '--modules', mixed));
    expect(written.modules!.listed).toBe(2);
    expect(written.modules!.refused.map(({ name }) => name).sort()).toEqual(['broken', 'large']);
    const data = dataOf('mixed.html');
    if (isMissing(data.modules)) throw new Error(data.modules.missing);
    expect(data.modules.names).toEqual(['exporter', 'importer']);
    expect(data.modules.refused).toEqual(written.modules!.refused);
  });

  it('goes without modules, and says what that leaves out', () => {
    expect(runJson<Written>(...report('kernel.html')).modules).toBeNull();
    const { modules: listed, plts, findings, mapping, entropy } = dataOf('kernel.html');
    for (const part of [listed, plts, findings])
      expect(part).toEqual({ missing: expect.stringContaining('--modules') });
    for (const part of [mapping, entropy]) expect(isMissing(part)).toBe(false);
  });

  it('reports on an Image as on its vmlinux', () => {
    const image = inFolder('Image.gz');
    writeFileSync(image, readSample('6.12/Image.gz'));
    runJson('report', '--kernel', image, '-o', inFolder('image.html'), '--modules', modules);
    runJson(...report('vmlinux.html', '--modules', modules));
    const [{ kernel: ofImage, ...image_ }, { kernel: ofVmlinux, ...vmlinux }] = [
      dataOf('image.html'),
      dataOf('vmlinux.html'),
    ];
    expect(image_).toEqual(vmlinux);
    expect([ofImage.format, ofVmlinux.format]).toEqual(['image', 'vmlinux']);
  });

  it('goes to standard output, alone', () => {
    const { stdout, stderr, status } = run(['report', '--kernel', kernel, '-o', '-']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.startsWith('<!doctype html>\n')).toBe(true);
    expect(stdout.endsWith('</html>\n')).toBe(true);
  });
});

describe('report refuses', () => {
  it('to be without a kernel or a file to write', () => {
    expect(runRefused(['report', '-o', inFolder('none.html')])).toContain('kernel');
    expect(runRefused(['report', '--kernel', kernel])).toContain('output');
  });

  it('to replace what it reads', () => {
    const copy = join(modules, 'exporter.ko');
    const before = readFileSync(copy);
    expect(runRefused(['report', '--kernel', kernel, '--modules', modules, '-o', copy])).toContain('never overwritten');
    expect(readFileSync(copy).equals(before)).toBe(true);
  });

  it('a folder without modules, a seed beside an address, a file that is no kernel; and leaves no file behind', () => {
    const empty = inFolder('empty');
    mkdirSync(empty);
    const wrong = [
      report('wrong.html', '--modules', empty),
      report('wrong.html', '--seed', '1', '--text', '0xffffc00000000000'),
      report('wrong.html', '--module-seed', '1', '--module-base', '0xffffc00000000000'),
      ['report', '--kernel', join(modules, 'exporter.ko'), '-o', inFolder('wrong.html')],
    ];
    for (const args of wrong) runRefused(args);
    expect(existsSync(inFolder('wrong.html'))).toBe(false);
  });
});
