import { describe, expect, it } from '@jest/globals';
import { run, runJson } from '../support/cli.js';
import { readSample, samplePath } from '../support/sample.js';

interface Inspected {
  kind: string;
  codeModel?: string;
}

describe('inspect of modules', () => {
  it('prints exactly the fields of its contract', () => {
    expect(runJson('inspect', samplePath('6.1/importer.ko'))).toEqual([
      {
        file: samplePath('6.1/importer.ko'),
        kind: 'module',
        name: 'importer',
        vermagic: '6.1.0-kaslrkit SMP mod_unload modversions aarch64',
        depends: ['exporter'],
        codeModel: 'small',
        relocations: expect.objectContaining({ R_AARCH64_CALL26: expect.any(Number) }),
        plt: { core: { reserved: expect.any(Number) }, init: { reserved: expect.any(Number) } },
      },
    ]);
  });

  it('tells kernels and modules apart by what they hold', () => {
    const files = ['6.1/Image', '6.1/large.ko', '6.12/vmlinux', '6.12/pic.ko'].map(samplePath);
    const found = runJson<Inspected[]>('inspect', ...files);
    expect(found.map(({ kind, codeModel }) => [kind, codeModel])).toEqual([
      ['kernel', undefined],
      ['module', 'large'],
      ['kernel', undefined],
      ['module', 'pic'],
    ]);
  });

  it('reads either from standard input', () => {
    const inspected = (input: Uint8Array) => {
      const { status, stdout } = run(['inspect', '-', '--json'], { input });
      return [status, (JSON.parse(stdout) as Inspected[])[0]!.kind];
    };
    expect(inspected(readSample('6.1/large.ko'))).toEqual([0, 'module']);
    expect(inspected(readSample('6.12/Image.gz'))).toEqual([0, 'kernel']);
  });

  it('prints both for a person', () => {
    const { status, stdout } = run(['inspect', samplePath('6.1/large.ko'), samplePath('6.1/Image')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^code model +large$/m);
    expect(stdout).toMatch(/^PLT entries +62 reserved, 10 for init$/m);
    expect(stdout).toMatch(/^R_AARCH64_CALL26 +96$/m);
    expect(stdout).toMatch(/^\nfile +\S+\/6\.1\/Image$/m);
  });
});
