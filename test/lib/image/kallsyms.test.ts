import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { vaFromBigInt } from '../../../lib/address.js';
import { decodeKallsyms } from '../../../lib/image/kallsyms.js';
import { type BuiltKallsyms, buildKallsyms } from '../../support/kallsyms-builder.js';
import { codeOf } from '../../support/thrown.js';

const BASE = 0xffff800008000000n;
const AT = 0x1000;

type Style = Pick<BuiltKallsyms, 'layout' | 'markerSize' | 'sequences'>;
const STYLES: [string, Style][] = [
  ['4.6', { layout: 'offsets-first', markerSize: 8, sequences: 'none' }],
  ['4.20', { layout: 'offsets-first', markerSize: 4, sequences: 'none' }],
  ['6.2', { layout: 'offsets-first', markerSize: 4, sequences: 'before-tokens' }],
  ['6.4', { layout: 'offsets-last', markerSize: 4, sequences: 'last' }],
  ['7.0', { layout: 'self-relative', markerSize: 4, sequences: 'last' }],
];

/** An image of code-like bytes around the tables. */
function image(tables: Buffer): Buffer {
  const filler = Buffer.from(Array.from({ length: AT }, (_, i) => (i * 37 + (i >> 5)) & 0xff));
  return Buffer.concat([filler, tables, filler]);
}

const build = (style: Style, symbols: BuiltKallsyms['symbols'], tokens: readonly string[] = []): Buffer =>
  image(buildKallsyms({ ...style, symbols, tokens, at: AT, base: BASE }));

const decode = (bytes: Buffer) => decodeKallsyms(bytes, vaFromBigInt(BASE));

function expectDecoded(bytes: Buffer, symbols: BuiltKallsyms['symbols']): void {
  const { count, names, types, addresses } = decode(bytes);
  const found = Array.from({ length: count }, (_, i) => ({
    name: `${types[i]}${names[i]}`,
    address: BigInt.asUintN(64, BigInt(addresses[i]!)),
  }));
  expect(found).toEqual(symbols);
}

const numbered = (count: number, pad = 0): BuiltKallsyms['symbols'] =>
  Array.from({ length: count }, (_, i) => ({ name: `T${'_'.repeat(pad)}symbol_${i}`, address: BASE + BigInt(16 * i) }));

describe.each(STYLES)('tables as of Linux %s', (_, style) => {
  it.each([1, 2, 255, 256, 257, 511, 512, 513, 3000])('are found with %d symbols', (count) => {
    expectDecoded(build(style, numbered(count)), numbered(count));
  });

  it('are decoded whatever the names, tokens and addresses', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abcdefgxyz_.$0123456789ABC'), minLength: 1, maxLength: 200 });
    const symbol = fc.record({ type: fc.constantFrom(...'tTdDrRbBwWA'), name: letters, gap: fc.nat(2 ** 20) });
    const tokens = fc.array(fc.string({ unit: fc.constantFrom(...'abcxyz_0'), minLength: 2, maxLength: 6 }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(symbol, { minLength: 300, maxLength: 700 }), tokens, (rows, strings) => {
        let address = BASE;
        const symbols = rows.map(({ type, name, gap }) => {
          address += BigInt(gap);
          return { name: type + name, address };
        });
        expectDecoded(build(style, symbols, strings), symbols);
      }),
      { numRuns: 20 },
    );
  });

  it('are decoded with names of 128 tokens and more, whose length takes two bytes', () => {
    for (const pad of [115, 118, 119, 120, 400]) expectDecoded(build(style, numbered(300, pad)), numbered(300, pad));
  });

  it('are refused if their addresses do not ascend', () => {
    const symbols = numbered(600).map(({ name, address }, i) => ({
      name,
      address: address + (i === 300 ? 4096n : 0n),
    }));
    expect(codeOf(() => decode(build(style, symbols)))).toBe('NO_SYMBOLS');
  });
});

describe('decodeKallsyms', () => {
  it('takes what digits a string has for no token table', () => {
    const style = STYLES[1]![1];
    const decoy = Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0and more\0', 'latin1');
    expectDecoded(
      Buffer.concat([
        build(style, numbered(300)).subarray(0, AT),
        buildKallsyms({ ...style, symbols: numbered(300), at: AT, base: BASE }),
        decoy,
      ]),
      numbered(300),
    );
    expect(codeOf(() => decode(Buffer.concat([Buffer.alloc(4096, 1), decoy, Buffer.alloc(4096, 1)])))).toBe(
      'NO_SYMBOLS',
    );
  });

  it.each([0, 64, 4096])('finds none in %d bytes of zeros', (length) => {
    expect(codeOf(() => decode(Buffer.alloc(length)))).toBe('NO_SYMBOLS');
  });

  it('gives up on a token table without names, in time that grows with the image alone', () => {
    const bytes = build(STYLES[1]![1], numbered(300));
    const tokens = bytes.lastIndexOf('0\x001\x002\x003\x004\0', bytes.length, 'latin1');
    const zeros = Buffer.concat([Buffer.alloc(2 ** 24), bytes.subarray(tokens - 1024)]);
    expect(codeOf(() => decode(zeros))).toBe('NO_SYMBOLS');
  });

  it('refuses names that no kernel can have', () => {
    const symbols = numbered(300).map(({ name, address }, i) => ({
      name: i === 7 ? name + 'xx'.repeat(300) : name,
      address,
    }));
    const outcome = codeOf(() => decode(build(STYLES[1]![1], symbols, ['xx'.repeat(100)])));
    expect(outcome).toBe('BAD_TABLE');
  });

  it('ends on damaged tables in one of its own errors or with symbols', () => {
    const bytes = build(STYLES[3]![1], numbered(300));
    const damage = fc.array(fc.tuple(fc.integer({ min: AT, max: bytes.length - AT }), fc.nat(255)), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(damage, fc.integer({ min: 0, max: bytes.length }), (patches, length) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of patches) damaged[at] = value;
        const outcome = codeOf(() => decode(damaged.subarray(0, length)));
        expect([undefined, 'NO_SYMBOLS', 'BAD_TABLE', 'ADDRESS_RANGE']).toContain(outcome);
      }),
      { numRuns: 300 },
    );
  });
});
