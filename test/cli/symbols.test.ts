import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hex16 } from '../../lib/address.js';
import { openKernel } from '../../lib/image/kernel.js';
import { MAIN, run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { buildElf, buildSymbols } from '../support/elf-builder.js';
import { buildImage } from '../support/image-builder.js';
import { readSample, SAMPLE_KERNELS, samplePath } from '../support/sample.js';

interface Listed {
  name: string;
  type: string;
  address: string;
  exported: boolean;
}

const SEED = '0xfedcba9876543210';
const folder = temporaryFolder();

describe.each(SAMPLE_KERNELS)('symbols of the $style sample', ({ image }) => {
  it('are lines of System.map, in image order, at link addresses', async () => {
    const { status, stdout, stderr } = run(['symbols', samplePath(image)]);
    const { names, types, addresses } = (await openKernel(readSample(image))).symbols();
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(names.map((name, i) => `${hex16(addresses[i]!)} ${types[i]} ${name}\n`).join(''));
    expect(stdout).toMatch(/^ffff[0-9a-f]{12} T _stext$/m);
  });

  it('are slid by a seed or to a run address', () => {
    const { offset, text } = runJson<{ offset: string; text: string }>('place', samplePath(image), '--seed', SEED);
    const lines = (...args: string[]) => run(['symbols', samplePath(image), ...args]).stdout.split('\n');
    const [linked, slid] = [lines(), lines('--seed', SEED)];
    expect(slid).toHaveLength(linked.length);
    expect(lines('--text', text)).toEqual(slid);
    slid.slice(0, -1).forEach((line, i) => {
      const at = linked[i]!;
      expect(BigInt(`0x${line.slice(0, 16)}`) - BigInt(`0x${at.slice(0, 16)}`)).toBe(BigInt(offset));
      expect(line.slice(16)).toBe(at.slice(16));
    });
  });

  it('are one JSON document that says what is exported', async () => {
    const listed = runJson<Listed[]>('symbols', samplePath(image));
    const kernel = await openKernel(readSample(image));
    expect(listed).toHaveLength(kernel.symbols().count);
    expect(Object.keys(listed[0]!)).toEqual(['name', 'type', 'address', 'exported']);
    for (const { address } of listed) expect(address).toMatch(/^0xffff[0-9a-f]{12}$/);
    const exported = listed.filter((symbol) => symbol.exported).map(({ name }) => name);
    const listedNames = new Set(listed.map(({ name }) => name));
    expect(exported.sort()).toEqual([...kernel.exports().keys()].filter((name) => listedNames.has(name)).sort());
    expect(exported.length).toBeGreaterThan(10);
  });
});

it('ends quietly when its reader has seen enough', () => {
  const base = 0xffff800008000000n;
  const symbols = Array.from({ length: 30000 }, (_, i) => ({ name: `symbol_${i}`, value: base + BigInt(i), shndx: 1 }));
  const image = buildImage({ size: 0x8000, base });
  const file = buildElf({
    type: 2,
    sections: [{ name: '.text', flags: 6n, addr: base, data: image }, ...buildSymbols(symbols, 3)],
    segments: [{ vaddr: base, section: 0 }],
  });
  writeFileSync(join(folder, 'many'), file);
  for (const option of ['', '--json']) {
    const script = `"${process.execPath}" "${MAIN}" symbols "${join(folder, 'many')}" ${option} | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.split('\n').slice(1)).toEqual([expect.stringContaining(option ? 'symbol_0' : 'symbol_1'), '0', '']);
  }
});

describe('what symbols refuses', () => {
  it('a kernel without any', () => {
    const relas = { at: 0x800, records: [{ place: 0xffff800008000200n, type: 1027, addend: 0n }] };
    writeFileSync(join(folder, 'none'), buildImage({ size: 0x1000, base: 0xffff800008000000n, relas }));
    expect(runRefused(['symbols', join(folder, 'none')])).toContain('no kallsyms tables');
  });

  it('a seed that is none, before it prints a line', () => {
    expect(runRefused(['symbols', samplePath('6.1/Image'), '--seed', 'abc'])).toContain("seed 'abc'");
  });
});
