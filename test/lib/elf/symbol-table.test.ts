import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as elf from '../../../lib/elf/constant.js';
import { openElf } from '../../../lib/elf/file.js';
import { openSymbolTable, type SymbolTable } from '../../../lib/elf/symbol-table.js';
import { type BuiltSection, type BuiltSymbol, buildElf, buildSymbols, patched } from '../../support/elf-builder.js';
import { codeOf } from '../../support/thrown.js';

function open(
  symbols: readonly BuiltSymbol[],
  change: (sections: BuiltSection[]) => BuiltSection[] = (s) => s,
): SymbolTable {
  const file = openElf(buildElf({ sections: change(buildSymbols(symbols, 2)) }), [elf.ET_REL]);
  return openSymbolTable(file)!;
}

describe('SymbolTable', () => {
  it('reads every field of every symbol', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abcXYZ_.$019'), minLength: 1, maxLength: 40 });
    const symbol = fc.record({
      name: letters,
      value: fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n - 1n }),
      size: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
      bind: fc.nat(15),
      type: fc.nat(15),
      shndx: fc.nat(0xfffe),
    });
    fc.assert(
      fc.property(fc.array(symbol, { maxLength: 20 }), (symbols) => {
        const table = open(symbols);
        const read = Array.from({ length: table.count }, (_, i) => ({
          name: table.name(i),
          value: BigInt(table.value(i)),
          size: BigInt(table.size(i)),
          bind: table.bind(i),
          type: table.type(i),
          shndx: table.shndx(i),
        }));
        expect(read).toEqual([{ name: '', value: 0n, size: 0n, bind: 0, type: 0, shndx: 0 }, ...symbols]);
      }),
    );
  });

  it('takes the section of SHN_XINDEX from SHT_SYMTAB_SHNDX, even one with the number of a reserved value', () => {
    const index = new Uint8Array(Uint32Array.of(0, 0xfff1, 0x12345).buffer);
    const extended = { name: '.symtab_shndx', type: elf.SHT_SYMTAB_SHNDX, data: index, link: 1, entsize: 4n };
    const symbols = [
      { name: 'extended', shndx: elf.SHN_XINDEX },
      { name: 'far', shndx: elf.SHN_XINDEX },
      { name: 'absolute', shndx: elf.SHN_ABS },
    ];
    const table = open(symbols, (sections) => [...sections, extended]);
    expect([1, 2, 3].map((i) => table.shndx(i))).toEqual([0xfff1, 0x12345, elf.SHN_ABS]);
    expect([1, 2, 3].map((i) => table.isReserved(i))).toEqual([false, false, true]);
  });

  it('refuses SHN_XINDEX without a table of indices, or with one that is too short', () => {
    const symbols = [{ name: 'a', shndx: elf.SHN_XINDEX }];
    expect(codeOf(() => open(symbols).shndx(1))).toBe('BAD_SYMBOL');
    const short = { name: '.symtab_shndx', type: elf.SHT_SYMTAB_SHNDX, data: new Uint8Array(4), link: 1 };
    expect(codeOf(() => open(symbols, (sections) => [...sections, short]).shndx(1))).toBe('BAD_SYMBOL');
  });

  const damages: [string, (sections: BuiltSection[]) => BuiltSection[]][] = [
    ['entries of 16 bytes', ([symtab, strtab]) => [{ ...symtab, entsize: 16n }, strtab!]],
    ['half an entry', ([symtab, strtab]) => [{ ...symtab, size: 36n }, strtab!]],
    ['no string table', ([symtab, strtab]) => [{ ...symtab, link: 1 }, strtab!]],
    ['a link to no section', ([symtab, strtab]) => [{ ...symtab, link: 99 }, strtab!]],
    ['strings without an end', ([symtab]) => [symtab!, { type: elf.SHT_STRTAB, data: Buffer.from('\0a') }]],
  ];
  it.each(damages)('refuses %s', (_, change) => {
    expect(codeOf(() => open([{ name: 'a' }], change))).toBe('BAD_SYMBOL');
  });

  it('refuses a name outside the string table', () => {
    const table = open([{ name: 'a' }], ([symtab, strtab]) => [
      { ...symtab, data: patched(symtab!.data!, 24, 3, 0, 0, 0) },
      strtab!,
    ]);
    expect(codeOf(() => table.name(1))).toBe('BAD_SYMBOL');
  });

  it('refuses a name of more than 4096 characters, many of which would fill the memory', () => {
    expect(open([{ name: 'a'.repeat(4096) }]).name(1)).toHaveLength(4096);
    expect(codeOf(() => open([{ name: 'a'.repeat(4097) }]).name(1))).toBe('BAD_SYMBOL');
  });

  it('refuses the value of an absolute symbol that is no address', () => {
    const table = open([{ name: 'a', shndx: elf.SHN_ABS, value: 0x1234567890abcdefn }]);
    expect(codeOf(() => table.value(1))).toBe('ADDRESS_RANGE');
  });
});

it('finds no symbol table in a stripped file', () => {
  const file = openElf(buildElf({ sections: [{ name: '.text' }] }), [elf.ET_REL]);
  expect(openSymbolTable(file)).toBeUndefined();
});
