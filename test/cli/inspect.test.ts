import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused } from '../support/cli.js';
import { SAMPLE_KERNELS, samplePath } from '../support/sample.js';

interface Inspected {
  file: string;
  format: string;
  compression: string;
  [field: string]: unknown;
}

describe('inspect', () => {
  it.each(SAMPLE_KERNELS)('says the same of the $style sample as vmlinux and as Image', ({ vmlinux, image }) => {
    const files = [vmlinux, image].map(samplePath);
    const [first, second] = runJson<Inspected[]>('inspect', ...files);
    const { file, format, compression, symbols, ...facts } = first!;
    expect([file, format, compression]).toEqual([files[0], 'vmlinux', 'none']);
    const found = image.endsWith('.gz') ? 'gzip' : 'none';
    expect(second).toMatchObject({ file: files[1], format: 'image', compression: found, ...facts });
    const exported = (kernel: Inspected) => (kernel.symbols as { exported: number }).exported;
    expect(exported(second!)).toBe(exported({ ...first!, symbols }));
  });

  it('prints exactly the fields of its contract', () => {
    const [kernel] = runJson<Inspected[]>('inspect', samplePath('6.12/Image.gz'));
    expect(kernel).toEqual({
      file: samplePath('6.12/Image.gz'),
      kind: 'kernel',
      format: 'image',
      compression: 'gzip',
      version: '6.12.0-kaslrkit',
      era: '6.9',
      pageSize: 4096,
      vaBits: 52,
      vaBitsMin: 48,
      linkBase: '0xffff800080000000',
      imageSize: expect.any(Number),
      relocations: {
        rela: { offset: expect.any(Number), count: expect.any(Number) },
        relr: { offset: expect.any(Number), words: expect.any(Number), count: expect.any(Number) },
      },
      symbols: { count: expect.any(Number), exported: expect.any(Number) },
    });
  });

  it('prints every file for a person', () => {
    const { status, stdout, stderr } = run(['inspect', samplePath('4.6/Image'), samplePath('6.1/vmlinux')]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^kernel +.*$/gm)).toEqual([
      expect.stringContaining('4.6.0-kaslrkit, image'),
      expect.stringContaining('6.1.0-kaslrkit, vmlinux'),
    ]);
  });

  it('prints nothing of the others if one file is bad', () => {
    expect(runRefused(['inspect', samplePath('6.1/Image'), '/no/such/file'])).toContain('/no/such/file: no such file');
    expect(runRefused(['inspect', samplePath('6.1/Image'), '/no/such/file', '--json'])).toContain('no such file');
  });
});
