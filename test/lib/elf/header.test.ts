import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ET_DYN, ET_EXEC, ET_REL } from '../../../lib/elf/constant.js';
import { isElf, readElfHeader } from '../../../lib/elf/header.js';
import { type BuiltFile, buildElf, patched, patched64 } from '../../support/elf-builder.js';
import { codeOf } from '../../support/thrown.js';

const text = { name: '.text', data: new Uint8Array(32) };
const build = (file: BuiltFile = {}) => buildElf({ sections: [text], ...file });
const read = (bytes: Uint8Array) => readElfHeader(bytes, [ET_REL, ET_EXEC, ET_DYN]);

describe('readElfHeader', () => {
  it.each([ET_REL, ET_EXEC, ET_DYN])('reads a file of type %d', (type) => {
    const bytes = build({ type, entry: 0xffff80000801234fn });
    expect(read(bytes)).toMatchObject({ e_type: type, e_shnum: 3, e_shstrndx: 2, e_phnum: 0 });
    expect(BigInt.asUintN(64, BigInt(read(bytes).e_entry))).toBe(0xffff80000801234fn);
  });

  it.each([
    ['NOT_ELF', patched(build(), 0, 0x7e)],
    ['NOT_ELF', new Uint8Array(0)],
    ['NOT_ELF', new Uint8Array(3)],
    ['TRUNCATED', build().subarray(0, 63)],
    ['WRONG_CLASS', patched(build(), 4, 1)],
    ['WRONG_ENDIAN', patched(build(), 5, 2)],
    ['WRONG_MACHINE', build({ machine: 62 })],
    ['WRONG_TYPE', build({ type: 4 })],
    ['TRUNCATED', patched64(build(), 40, 2n ** 64n - 1n)],
    ['TRUNCATED', patched64(build(), 40, 2n ** 53n)],
    ['TRUNCATED', patched64(build(), 40, 2n ** 40n)],
    ['BAD_SECTION', patched(build(), 58, 56, 0)],
    ['BAD_SECTION', patched(build(), 62, 3, 0)],
    ['TRUNCATED', patched(build(), 60, 4, 0)],
    ['BAD_SECTION', patched(build(), 56, 1, 0, 0, 0)],
  ] as const)('refuses with %s', (code, bytes) => {
    expect(codeOf(() => read(bytes))).toBe(code);
  });

  it('takes a section header table that ends with the file, and none a byte longer', () => {
    const bytes = build();
    expect(read(bytes).e_shnum).toBe(3);
    expect(codeOf(() => read(bytes.subarray(0, bytes.length - 1)))).toBe('TRUNCATED');
  });

  it('takes the counts from section 0 where the header has no room for them', () => {
    expect(read(build({ extended: true }))).toMatchObject({ e_shnum: 3, e_shstrndx: 2 });
  });

  it.each([2n ** 64n - 1n, 2n ** 53n, 2n ** 32n, 4n])(
    'refuses %d sections in section 0 of a file that has 3',
    (count) => {
      const bytes = build({ extended: true });
      const headers = Number(new DataView(bytes.buffer).getBigUint64(40, true));
      expect(codeOf(() => read(patched64(bytes, headers + 32, count)))).toBe('TRUNCATED');
    },
  );

  it('refuses a section name table that section 0 puts behind the last section', () => {
    const bytes = build({ extended: true });
    const headers = Number(new DataView(bytes.buffer).getBigUint64(40, true));
    expect(codeOf(() => read(patched(bytes, headers + 40, 3, 0, 0, 0)))).toBe('BAD_SECTION');
  });
});

describe('isElf', () => {
  it('looks at the magic alone', () => {
    expect(isElf(Buffer.from('\x7fELF'))).toBe(true);
    expect(isElf(Buffer.from('\x7fELG'))).toBe(false);
  });
});

it('ends every damaged header in one of its own errors', () => {
  const bytes = build({ type: ET_DYN, segments: [{ vaddr: 0xffff800008000000n, section: 0 }] });
  fc.assert(
    fc.property(fc.nat(63), fc.nat(255), (at, value) => {
      const outcome = codeOf(() => read(patched(bytes, at, value)));
      expect(outcome === undefined || typeof outcome === 'string').toBe(true);
    }),
  );
});
