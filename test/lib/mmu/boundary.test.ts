import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { MappingError } from '../../../lib/errors.js';
import { type Boundaries, inferBoundaries } from '../../../lib/mmu/boundary.js';
import { firstTargetBeyond, readImageLayout } from '../../../lib/mmu/image-layout.js';

const LINK_BASE = va(-0x7ffff8000000);
const TEXT = va(-0x256781c00000);

/** The header and relocations of an image laid out as Debian's 6.1 kernel, shrunk by 256. */
const SIZES = { text: 0x10000, init: 0x20000, data: 0x40000, image: 0x60000 };
const RELA = { offset: 0x30000, count: 3, linkBase: LINK_BASE };

function makeImage(change: (view: DataView) => void = () => {}): Uint8Array {
  const image = new Uint8Array(0x50000);
  const view = new DataView(image.buffer);
  view.setUint32(16, SIZES.image, true);
  view.setUint32(0x3c, 0x40, true);
  view.setUint32(0x40, 0x4550, true);
  view.setUint16(0x46, 2, true);
  view.setUint16(0x54, 0xa0, true);
  view.setUint32(0x58 + 32, 0x10000, true);
  const section = (at: number, name: string, address: number): void => {
    [...name].forEach((letter, i) => {
      view.setUint8(at + i, letter.charCodeAt(0));
    });
    view.setUint32(at + 12, address, true);
  };
  section(0xf8, '.text', SIZES.text);
  section(0x120, '.data', SIZES.init);
  const addends = [0x20018, SIZES.data + 0x1000, SIZES.data];
  addends.forEach((addend, i) => {
    const at = RELA.offset + 24 * i;
    view.setBigInt64(at, BigInt(LINK_BASE + 0x20000 + 8 * i), true);
    view.setBigInt64(at + 8, 0x403n, true);
    view.setBigInt64(at + 16, BigInt(LINK_BASE + addend), true);
  });
  change(view);
  return image;
}

const at = (offset: number) => va(TEXT + offset);
/** What kallsyms of a kernel without KALLSYMS_ALL lists. */
const TEXT_SYMBOLS: Boundaries = { _stext: at(0x10000), _etext: at(0x14000), _sinittext: at(0x18000) };

describe('inferBoundaries', () => {
  it('finds what text symbols leave out, and says where', () => {
    const { boundaries, inferred } = inferBoundaries({
      symbols: TEXT_SYMBOLS,
      text: TEXT,
      image: makeImage(),
      rela: RELA,
    });
    expect(boundaries).toEqual({
      _text: TEXT,
      _stext: at(0x10000),
      _etext: at(0x14000),
      __start_rodata: at(0x14000),
      __init_begin: at(0x18000),
      __inittext_begin: at(0x18000),
      _sinittext: at(0x18000),
      __inittext_end: at(0x20000),
      __initdata_begin: at(0x20000),
      __initdata_end: at(0x40000),
      __init_end: at(0x40000),
      _data: at(0x40000),
      _sdata: at(0x40000),
      _end: at(0x60000),
    });
    const from = Object.fromEntries(inferred.map((one) => [one.symbol, one.from]));
    expect(from).toMatchObject({
      __start_rodata: '_etext, at the same address',
      _end: 'image_size in the Image header',
      __initdata_begin: 'VirtualAddress of the PE section .data',
      _data: 'the first relocation target beyond .rela.dyn (init_stack)',
    });
    expect(from).not.toHaveProperty('_stext');
  });

  it('believes a symbol rather than the image', () => {
    const symbols = { ...TEXT_SYMBOLS, _data: at(0x50000), _end: at(0x70000) };
    const { boundaries } = inferBoundaries({ symbols, text: TEXT, image: makeImage(), rela: RELA });
    expect(boundaries).toMatchObject({ __init_end: at(0x50000), _end: at(0x70000) });
  });

  it('leaves out what nothing tells', () => {
    expect(inferBoundaries({ symbols: {}, text: TEXT }).boundaries).toEqual({ _text: TEXT });
    const withoutRela = inferBoundaries({ symbols: TEXT_SYMBOLS, text: TEXT, image: makeImage() }).boundaries;
    expect(withoutRela).toHaveProperty('__initdata_begin');
    expect(withoutRela).not.toHaveProperty('_data');
  });

  it('does not take a relocation target for the start of the data where it is not aligned like a segment', () => {
    const image = makeImage((view) => {
      view.setUint32(RELA.offset + 2 * 24 + 16, 0x8040008, true);
    });
    expect(inferBoundaries({ symbols: {}, text: TEXT, image, rela: RELA }).boundaries).not.toHaveProperty('_data');
  });

  it('refuses symbols out of order', () => {
    const symbols = { ...TEXT_SYMBOLS, _end: at(0x15000) };
    const run = () => inferBoundaries({ symbols, text: TEXT });
    expect(run).toThrow(MappingError);
    expect(run).toThrow(
      expect.objectContaining({ code: 'BAD_RANGE', details: expect.objectContaining({ symbol: '_end' }) }),
    );
  });
});

describe('readImageLayout', () => {
  it('reads the Image header and the PE sections', () => {
    expect(readImageLayout(makeImage())).toEqual({
      imageSize: 0x60000,
      textOffset: 0x10000,
      dataOffset: 0x20000,
      sectionAlignment: 0x10000,
    });
  });

  it.each([
    ['no PE header', (view: DataView) => view.setUint32(0x40, 0, true)],
    ['a PE header outside', (view: DataView) => view.setUint32(0x3c, 0xfffffff0, true)],
  ])('does without: %s', (_, change) => {
    expect(readImageLayout(makeImage(change))).toEqual({ imageSize: 0x60000, sectionAlignment: 0x10000 });
  });

  it('leaves out sections that lie outside the image, and sizes beyond reason', () => {
    const outside = makeImage((view) => view.setUint32(0x120 + 12, SIZES.image, true));
    expect(readImageLayout(outside)).not.toHaveProperty('dataOffset');
    const huge = makeImage((view) => view.setUint32(20, 1, true));
    expect(readImageLayout(huge)).not.toHaveProperty('imageSize');
  });

  it.each([0, 16, 64, 0x58, 0x100, 0x121])('takes an image cut after %i bytes', (length) => {
    expect(readImageLayout(makeImage().subarray(0, length))).not.toHaveProperty('dataOffset');
  });
});

describe('firstTargetBeyond', () => {
  it('ignores records outside the file and targets inside the table', () => {
    const image = makeImage();
    expect(firstTargetBeyond(image, RELA)).toBe(0x40000);
    expect(firstTargetBeyond(image, { ...RELA, count: 2 })).toBe(0x41000);
    expect(firstTargetBeyond(image, { ...RELA, count: 1 })).toBeUndefined();
    expect(firstTargetBeyond(image, { ...RELA, offset: image.length, count: 2 ** 40 })).toBeUndefined();
  });
});
