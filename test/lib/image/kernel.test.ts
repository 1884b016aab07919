import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { formatVa, va } from '../../../lib/address.js';
import { openKernel } from '../../../lib/image/kernel.js';
import { parseKernelConfig } from '../../../lib/image/kernel-config.js';
import { relocateImage } from '../../../lib/reloc/relative.js';
import { type BuiltImage, buildImage, buildVmlinux, RELATIVE } from '../../support/image-builder.js';
import { zboot } from '../../support/packed.js';
import { readSample, SAMPLE_KERNELS } from '../../support/sample.js';
import { codeOf, codeOfAsync } from '../../support/thrown.js';

const BASE = 0xffff800008000000n;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const record = (offset: number, addend = BASE) => ({ place: BASE + BigInt(offset), type: RELATIVE, addend });
const relas = { at: 0x800, records: [record(0x200), record(0x208)] };
const built = (image: Partial<BuiltImage> = {}): BuiltImage => ({ size: 0x1000, base: BASE, relas, ...image });
const open = (image: Partial<BuiltImage> = {}) => openKernel(buildImage(built(image)));

describe.each(SAMPLE_KERNELS)('the $style sample, as vmlinux and as Image', ({ style, vmlinux, image }) => {
  const both = Promise.all([openKernel(readSample(vmlinux)), openKernel(readSample(image))]);

  it('is the same kernel', async () => {
    const [fromElf, fromImage] = await both;
    const facts = ({ banner, era, pageSize, vaBits, vaBitsMin, linkBase, imageSize, tables }: typeof fromElf) => ({
      ...{ banner, era, pageSize, vaBits, vaBitsMin, linkBase, imageSize, tables },
    });
    expect(facts(fromImage)).toEqual(facts(fromElf));
    expect([fromElf.format, fromImage.format]).toEqual(['vmlinux', 'image']);
    expect(fromImage.compression).toBe(image.endsWith('.gz') ? 'gzip' : 'none');
    expect(fromElf.banner.release).toBe(`${style}.0-kaslrkit`);
  });

  it('has the same bytes, as linked and wherever it is relocated to', async () => {
    const [fromElf, fromImage] = await both;
    expect(sha256(fromElf.image)).toBe(sha256(fromImage.image));
    for (const delta of [0, 0x200000, -0x200000, 0x2a5f_de00_0000]) {
      const [a, b] = [fromElf.relocatable(), fromImage.relocatable()];
      expect(relocateImage(a, delta)).toEqual(relocateImage(b, delta));
      expect(sha256(a.bytes)).toBe(sha256(b.bytes));
    }
  });

  it('has the same exports, and the symbols of kallsyms where the vmlinux has them', async () => {
    const [fromElf, fromImage] = await both;
    expect([...fromImage.exports()]).toEqual([...fromElf.exports()]);
    const { names, addresses, count } = fromElf.symbols();
    const listed = new Set(Array.from({ length: count }, (_, i) => `${names[i]} ${addresses[i]}`));
    const kallsyms = fromImage.symbols();
    expect(kallsyms.names.filter((name, i) => !listed.has(`${name} ${kallsyms.addresses[i]}`))).toEqual([]);
  });

  it('exports what its vmlinux has under that name', async () => {
    const [fromElf, fromImage] = await both;
    expect(fromImage.exports().size).toBeGreaterThan(50);
    for (const [name, address] of fromImage.exports()) expect([name, fromElf.symbol(name)]).toEqual([name, address]);
  });

  it('says where _stext and _end are', async () => {
    for (const kernel of await both) {
      expect(kernel.symbol('_stext')).toBeGreaterThan(kernel.linkBase);
      expect(kernel.symbol('no_such_symbol')).toBeUndefined();
    }
    const [fromElf] = await both;
    expect(fromElf.symbol('_end')! - fromElf.linkBase).toBe(fromElf.imageSize);
  });

  it('stays as it is, whatever is done with what it gives out', async () => {
    const input = readSample(vmlinux);
    const before = sha256(input);
    const kernel = await openKernel(input);
    const first = kernel.relocatable();
    relocateImage(first, 0x200000);
    kernel.symbols();
    kernel.exports();
    const second = kernel.relocatable();
    relocateImage(second, 0x200000);
    expect(sha256(second.bytes)).toBe(sha256(first.bytes));
    expect(sha256(input)).toBe(before);
  });
});

describe('openKernel', () => {
  it('opens an Image as read by readFile, a Buffer, without ever changing it', async () => {
    const bytes = Buffer.from(buildImage(built()));
    const before = sha256(bytes);
    const kernel = await openKernel(bytes);
    relocateImage(kernel.relocatable(), 0x200000);
    expect(codeOf(() => kernel.symbols())).toBe('NO_SYMBOLS');
    expect(kernel.exports().size).toBe(0);
    expect(sha256(bytes)).toBe(before);
  });

  it('opens an Image at any alignment of its buffer', async () => {
    const bytes = buildImage(built());
    for (let shift = 0; shift < 8; shift++) {
      const buffer = Buffer.alloc(bytes.length + 8);
      buffer.set(bytes, shift);
      const kernel = await openKernel(buffer.subarray(shift, shift + bytes.length));
      expect(kernel.tables.rela).toEqual({ offset: 0x800, count: 2 });
      expect(relocateImage(kernel.relocatable(), 8)).toEqual({ rela: 2, relr: 0 });
    }
  });

  it('opens a kernel in every wrapping', async () => {
    const image = buildImage(built());
    const packed = gzipSync(image);
    const compressions = ['none', 'gzip', 'zboot+gzip'];
    for (const [i, bytes] of [image, packed, zboot(packed, 'gzip')].entries()) {
      const kernel = await openKernel(bytes);
      expect([kernel.compression, formatVa(kernel.linkBase)]).toEqual([compressions[i], '0xffff800008000000']);
    }
    const vmlinux = await openKernel(gzipSync(buildVmlinux(built())));
    expect([vmlinux.format, vmlinux.compression, vmlinux.tables.rela.count]).toEqual(['vmlinux', 'gzip', 2]);
  });

  it('reads page size and version; pages are 4K where the header does not say', async () => {
    expect((await open({ flags: 0b0100 })).pageSize).toBe(16384);
    expect((await open({ flags: 0b0110 })).pageSize).toBe(65536);
    expect((await open({ flags: 0 })).pageSize).toBe(4096);
    expect((await open()).era.key).toBe('6.0');
  });

  it('leaves out a signature behind the image', async () => {
    const kernel = await open({ size: 0x1400, imageSize: 0x1000 });
    expect(kernel.image).toHaveLength(0x1000);
    expect(kernel.relocatable().bytes).toHaveLength(0x1000);
  });

  it('takes another era where one is named, and one whose layout the link address cannot be of not at all', async () => {
    const bytes = buildImage(built());
    expect((await openKernel(bytes, { era: '6.9' })).era.key).toBe('6.9');
    const config = parseKernelConfig('CONFIG_ARM64_VA_BITS=48');
    expect(await codeOfAsync(() => openKernel(bytes, { era: '4.6', config }))).toBe('BAD_TABLE');
    expect(await codeOfAsync(() => openKernel(bytes, { era: '6.2' }))).toBe('UNKNOWN_ERA');
  });

  it('takes VA bits from the configuration, if they fit the link address', async () => {
    const bytes = buildImage(built());
    const config = (bits: number) => parseKernelConfig(`CONFIG_ARM64_VA_BITS=${bits}`);
    const opened = await openKernel(bytes, { config: config(52) });
    expect([opened.vaBits, opened.vaBitsMin]).toEqual([52, 48]);
    expect(await codeOfAsync(() => openKernel(bytes, { config: config(39) }))).toBe('BAD_TABLE');
  });

  it.each<[string, string, Partial<BuiltImage>]>([
    ['NO_VERSION', 'without a banner', { banner: undefined }],
    ['UNKNOWN_ERA', 'from before KASLR', { banner: 'Linux version 4.5.7 (x)\n' }],
    ['WRONG_ENDIAN', 'that is big-endian', { flags: 0b1011 }],
    ['NOT_RELOCATABLE', 'without relocations', { relas: { at: 0x800, records: [] } }],
    ['BAD_TABLE', 'with an image_size of 0', { imageSize: 0 }],
  ])('refuses with %s an Image %s', async (code, _, image) => {
    expect(await codeOfAsync(() => open(image))).toBe(code);
  });

  it.each([0, 1, 63, 64, 4096])('refuses %d bytes of nothing', async (length) => {
    expect(await codeOfAsync(() => openKernel(new Uint8Array(length)))).toBe('NOT_A_KERNEL');
  });

  it('refuses to relocate an Image that was cut behind its tables, rather than do half', async () => {
    const records = [record(0x200), record(0xff0)];
    const bytes = buildImage(built({ relas: { at: 0x800, records } }));
    const kernel = await openKernel(bytes.subarray(0, 0xc00));
    expect(codeOf(() => relocateImage(kernel.relocatable(), 0))).toBe('BAD_PLACE');
  });
});

describe('a vmlinux', () => {
  it('without relocations is opened, for there is more to ask, but not relocated', async () => {
    const kernel = await openKernel(buildVmlinux({ size: 0x1000, base: BASE }));
    expect(kernel.linkBase).toBe(va(Number(BigInt.asIntN(64, BASE))));
    expect(codeOf(() => kernel.relocatable())).toBe('NOT_RELOCATABLE');
    expect(codeOf(() => kernel.symbols())).toBe('NO_SYMBOLS');
  });

  it('counts the places of its RELR table', async () => {
    const relr = { at: 0x900, words: [BASE + 0x300n, 0b111n] };
    const kernel = await openKernel(buildVmlinux(built({ relr })));
    expect(kernel.tables).toEqual({ rela: { offset: 0x800, count: 2 }, relr: { offset: 0x900, words: 2, count: 3 } });
  });

  it('is refused where a table lies behind what image_size says', async () => {
    const kernel = await openKernel(buildVmlinux(built({ imageSize: 0x810 })));
    expect(codeOf(() => relocateImage(kernel.relocatable(), 0))).toBe('BAD_TABLE');
  });

  it('whose image has no header is no kernel', async () => {
    const bytes = buildVmlinux(built());
    const magic = Buffer.from(bytes).indexOf('ARM\x64');
    expect(await codeOfAsync(() => openKernel(bytes.fill(0, magic, magic + 4)))).toBe('NOT_A_KERNEL');
  });
});
