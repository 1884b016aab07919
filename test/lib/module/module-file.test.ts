import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { unpack } from '../../../lib/image/container.js';
import { moduleName, openModule } from '../../../lib/module/module-file.js';
import { buildElf } from '../../support/elf-builder.js';
import { buildModule, buildObject, modinfoSection } from '../../support/object-file.js';
import { codeOf } from '../../support/thrown.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const sample = (name: string): Uint8Array => readFileSync(join(ROOT, 'samples/bin', name));
const packed = (kind: string): Uint8Array => readFileSync(join(ROOT, `scripts/fuzz/corpus/init_only.ko.${kind}`));

describe('openModule', () => {
  it('reads what a module says of itself', () => {
    const { name, modinfo, symbols } = openModule(sample('6.1/importer.ko'), 'ignored');
    expect(name).toBe('importer');
    expect(modinfo).toEqual({
      name: 'importer',
      vermagic: '6.1.0-kaslrkit SMP mod_unload modversions aarch64',
      depends: ['exporter'],
      isLivepatch: false,
    });
    expect(symbols.count).toBeGreaterThan(10);
  });

  it('takes a module that is named by its file alone, as before 4.14', () => {
    const unnamed = buildObject({ sections: [modinfoSection('depends=')] });
    expect(openModule(unnamed, 'snd-pcm').name).toBe('snd_pcm');
  });

  it('ignores a signature behind the file', () => {
    const plain = sample('6.12/percpu.ko');
    const signature = Buffer.from('0\x82\x01\x02 a PKCS#7 message ~Module signature appended~\n', 'latin1');
    const signed = openModule(Buffer.concat([plain, signature]), 'percpu');
    const { elf, modinfo } = openModule(plain, 'percpu');
    expect(signed.modinfo).toEqual(modinfo);
    expect(signed.elf.sections.map(({ name, data }) => [name, data.length])).toEqual(
      elf.sections.map(({ name, data }) => [name, data.length]),
    );
  });

  it('reads what gzip, xz and zstd packed alike', async () => {
    const [gz, xz, zst] = await Promise.all(['gz', 'xz', 'zst'].map((kind) => unpack(packed(kind))));
    expect([gz, xz, zst].map((one) => one?.compression)).toEqual(['gzip', 'xz', 'zstd']);
    expect(openModule(gz!.bytes, 'x')).toMatchObject({ name: 'init_only', modinfo: { depends: [] } });
    expect(Buffer.compare(gz!.bytes, xz!.bytes)).toBe(0);
    expect(Buffer.compare(gz!.bytes, zst!.bytes)).toBe(0);
  });

  it.each(['../x', '/etc/passwd', 'a/b', '..', '.', '.hidden', '', 'a b', 'x\n', 'é', 'x'.repeat(56)])(
    'refuses the name %j',
    (name) => {
      expect(codeOf(() => openModule(buildModule({ sections: [] }, `name=${name}`), 'x'))).toBe('NOT_A_MODULE');
      expect(codeOf(() => openModule(buildObject({ sections: [modinfoSection('depends=')] }), name))).toBe(
        'NOT_A_MODULE',
      );
    },
  );

  it.each(['a', '8021q', 'x_tables', 'nf_conntrack.foo', 'x'.repeat(55), 'dm-mod', 'a+b'])(
    'takes the name %s',
    (name) => {
      expect(openModule(buildModule({ sections: [] }, `name=${name}`), 'x').name).toBe(moduleName(name));
    },
  );

  it('refuses a live patch', () => {
    expect(codeOf(() => openModule(buildModule({ sections: [] }, 'livepatch=Y'), 'x'))).toBe('LIVEPATCH');
  });

  it('refuses more sections than the kernel’s loader can count', () => {
    const sections = Array.from({ length: 0xff00 }, () => ({ name: '', data: new Uint8Array(0) }));
    expect(codeOf(() => openModule(buildModule({ sections }), 'x'))).toBe('NOT_A_MODULE');
  });

  it('refuses an object that is no module, and a file that is no object', () => {
    expect(codeOf(() => openModule(buildObject({ sections: [] }), 'x'))).toBe('NOT_A_MODULE');
    expect(
      codeOf(() => openModule(buildElf({ sections: [{ name: '.modinfo', data: Buffer.from('name=x\0') }] }), 'x')),
    ).toBe('NOT_A_MODULE');
    expect(codeOf(() => openModule(sample('6.1/vmlinux'), 'x'))).toBe('WRONG_TYPE');
    expect(codeOf(() => openModule(sample('6.1/Image'), 'x'))).toBe('NOT_ELF');
    expect(codeOf(() => openModule(new Uint8Array(0), 'x'))).toBe('NOT_ELF');
  });
});
