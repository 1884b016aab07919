import { describe, expect, it } from '@jest/globals';
import { formatVa, type Va, vaFromBigInt } from '../../../lib/address.js';
import { ImageFormatError } from '../../../lib/errors.js';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { linkAddressesOf, movingSymbols, type NamedAddresses, textOfSymbol } from '../../../lib/locate/symbol-text.js';
import { codeOf } from '../../support/thrown.js';

const BASE = vaFromBigInt(0xffff800008000000n);
const TEXT = vaFromBigInt(0xffffc95d7fc00000n);
const at = (base: Va, offset: number): Va => vaFromBigInt(BigInt(base) + BigInt(offset));

describe('linkAddressesOf', () => {
  const listed: readonly [string, number][] = [
    ['handler', 0x100d0],
    ['alias', 0x10160],
    ['handler', 0x10160],
    ['handler', 0x10160],
  ];
  const kernel: NamedAddresses = {
    linkBase: BASE,
    imageSize: 0x2000000,
    symbols: () => ({
      count: listed.length,
      types: listed.map(() => 't'),
      names: listed.map(([name]) => name),
      addresses: Float64Array.from(listed, ([, offset]) => at(BASE, offset)),
    }),
    exports: () =>
      new Map([
        ['exported', at(BASE, 0x20000)],
        ['alias', at(BASE, 0x30000)],
      ]),
  };
  const offsets = (name: string) => linkAddressesOf(kernel, name).map((address) => address - BASE);

  it('finds every address of a name, once', () => {
    expect(offsets('handler')).toEqual([0x100d0, 0x10160]);
    expect(offsets('alias')).toEqual([0x10160]);
    expect(offsets('absent')).toEqual([]);
  });

  it('finds what is only exported', () => {
    expect(offsets('exported')).toEqual([0x20000]);
  });

  it('knows _text and _end without symbols, and nothing else', () => {
    const bare: NamedAddresses = {
      ...kernel,
      symbols: () => {
        throw new ImageFormatError('NO_SYMBOLS', 'none');
      },
    };
    expect(linkAddressesOf(bare, '_text')).toEqual([BASE]);
    expect(linkAddressesOf(bare, '_end')).toEqual([at(BASE, 0x2000000)]);
    expect(codeOf(() => linkAddressesOf(bare, '_stext'))).toBe('NO_SYMBOLS');
  });
});

describe('textOfSymbol', () => {
  const geometry = geometryOf({ pageSize: 4096, vaBits: 48 });
  const textOf = (linked: readonly number[], address: Va, phys?: bigint): Va =>
    textOfSymbol({ linked: linked.map((offset) => at(BASE, offset)), address }, BASE, {
      machine: { era: eraByKey('6.0'), geometry, imageSize: 0x2000000, linkBase: BASE, phys },
      geometries: [geometry],
    });

  it.each([
    ['first', 0x100d0],
    ['second', 0x10160],
  ])('finds _text at a page from the %s of two', (_, offset) => {
    expect(formatVa(textOf([0x100d0, 0x10160], at(TEXT, offset)))).toBe(formatVa(TEXT));
  });

  it('refuses to choose between two a page apart, unless the load address tells', () => {
    const pair = [0x100d0, 0x110d0];
    expect(() => textOf(pair, at(TEXT, 0x110d0))).toThrow(
      /: 2 of that name .* linked at 0xffff8000080100d0, 0xffff8000080110d0$/,
    );
    expect(codeOf(() => textOf(pair, at(TEXT, 0x110d0)))).toBe('AMBIGUOUS_SYMBOL');
    expect(textOf(pair, at(TEXT, 0x110d0), 0x40200000n)).toBe(TEXT);
    expect(textOf(pair, at(TEXT, 0x110d0), 0x40201000n)).toBe(at(TEXT, 0x1000));
  });

  it('leaves out what lies beyond the range of the era', () => {
    // The last slot of the range, 3/4 of the VA space above its start.
    const last = vaFromBigInt(0xffff800008000000n + 0x5fffffe00000n);
    expect(textOf([0, 0x200000], at(last, 0x200000))).toBe(last);
    expect(codeOf(() => textOf([0, 0x200000], last))).toBe('AMBIGUOUS_SYMBOL');
  });

  it('lists eight of many', () => {
    const many = Array.from({ length: 10 }, (_, i) => i * 0x1000);
    expect(() => textOf(many, at(TEXT, 0x10000))).toThrow(/^[^\n]*: 10 of .* 0xffff800008007000 and 2 more$/);
  });

  it('takes the first where none is possible, whatever the address', () => {
    expect(textOf([0x100d0, 0x10160], at(TEXT, 0x100d4))).toBe(at(TEXT, 4));
    expect(textOf([0, 0x10160], vaFromBigInt(-(1n << 52n)))).toBe(-(2 ** 52));
    expect(textOf([0, 0x10160], vaFromBigInt(0x1000n))).toBe(0x1000);
    expect(codeOf(() => textOf([0x10160, 0], vaFromBigInt(-(1n << 52n) + 1n)))).toBe('ADDRESS_RANGE');
  });

  it('takes the only one as it is', () => {
    expect(textOf([0x100d0], at(TEXT, 0x100d4))).toBe(at(TEXT, 4));
  });
});

describe('movingSymbols', () => {
  const offsets: Readonly<Record<string, number>> = {
    below: -1,
    first: 0,
    __per_cpu_start: 0x2000,
    runqueues: 0x2fff,
    __per_cpu_end: 0x3000,
    last: 0x10000,
    beyond: 0x10001,
  };
  const names = Object.keys(offsets);
  const kernel: NamedAddresses = {
    linkBase: BASE,
    imageSize: 0x10000,
    symbols: () => ({
      count: names.length,
      types: names.map(() => 'd'),
      names,
      addresses: Float64Array.from(names, (name) => at(BASE, offsets[name]!)),
    }),
    exports: () => new Map(),
  };

  it('knows what lies in the image and is not per CPU', () => {
    const lookUp = movingSymbols(kernel);
    const known = names.filter((name) => lookUp(name).length > 0);
    expect(known).toEqual(['first', '__per_cpu_end', 'last']);
  });

  it('knows nothing without symbols', () => {
    const symbols = () => {
      throw new ImageFormatError('NO_SYMBOLS', 'none');
    };
    expect(movingSymbols({ ...kernel, symbols })('first')).toEqual([]);
  });
});
