import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ET_DYN, ET_REL, SHT_NOBITS, SHT_PROGBITS } from '../../../lib/elf/constant.js';
import { findSection, openElf } from '../../../lib/elf/file.js';
import { type BuiltFile, buildElf, buildRelas, buildSymbols, patched, patched64 } from '../../support/elf-builder.js';
import { codeOf } from '../../support/thrown.js';

const hex = (x: number): string => BigInt.asUintN(64, BigInt(x)).toString(16);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const headersAt = (file: Uint8Array): number => Number(new DataView(file.buffer).getBigUint64(40, true));

describe('openElf', () => {
  it('opens a relocatable file: names, fields and data of every section', () => {
    const file = openElf(
      buildElf({
        sections: [
          { name: '.text', flags: 6n, data: bytes(1, 2, 3, 4), addralign: 16n },
          {
            name: '.rela.text',
            type: 4,
            data: buildRelas([{ offset: 0n, type: 283 }]),
            link: 4,
            info: 1,
            entsize: 24n,
          },
          { name: '.bss', type: SHT_NOBITS, flags: 3n, size: 0x123456789n, addralign: 64n },
          ...buildSymbols([], 5),
        ],
      }),
      [ET_REL],
    );
    expect(file.sections.map(({ name }) => name)).toEqual([
      '',
      '.text',
      '.rela.text',
      '.bss',
      '.symtab',
      '.strtab',
      '.shstrtab',
    ]);
    expect(findSection(file, '.text')).toMatchObject({
      index: 1,
      sh_type: SHT_PROGBITS,
      sh_flags: 6,
      sh_size: 4,
      sh_addralign: 16,
      data: bytes(1, 2, 3, 4),
    });
    expect(findSection(file, '.rela.text')).toMatchObject({ sh_link: 4, sh_info: 1, sh_entsize: 24 });
    expect(findSection(file, '.bss')).toMatchObject({ sh_size: 0x123456789, data: bytes() });
    expect(findSection(file, '.data')).toBeUndefined();
  });

  it('reads 64-bit fields to the last digit', () => {
    const file = openElf(
      buildElf({
        type: ET_DYN,
        entry: 0xffff80000801234fn,
        sections: [{ name: '.text', addr: 0xffff800008012345n, data: bytes(9), size: 1n }],
        segments: [{ vaddr: 0xffff800008012347n, section: 0, memsz: 0x1fffffffffffffn }],
      }),
      [ET_DYN],
    );
    expect(hex(file.header.e_entry)).toBe('ffff80000801234f');
    expect(hex(file.sections[1]!.sh_addr)).toBe('ffff800008012345');
    expect(hex(file.segments[0]!.p_vaddr)).toBe('ffff800008012347');
    expect(file.segments[0]).toMatchObject({ p_memsz: 2 ** 53 - 1, p_filesz: 1, data: bytes(9) });
  });

  it('gives data that changes with the file but whose slices are copies, whatever kind of array the file is', () => {
    const input = Buffer.from(buildElf({ sections: [{ name: '.data', data: bytes(1, 2) }] }));
    const { data, sh_offset } = openElf(input, [ET_REL]).sections[1]!;
    const copy = data.slice();
    input[sh_offset] = 7;
    expect([...data]).toEqual([7, 2]);
    expect([...copy]).toEqual([1, 2]);
  });

  it('opens a file that begins anywhere in its buffer', () => {
    const built = buildElf({ sections: [{ name: '.data', data: bytes(1, 2) }] });
    for (let shift = 0; shift < 8; shift++) {
      const buffer = new Uint8Array(built.length + 16);
      buffer.set(built, shift);
      const file = openElf(buffer.subarray(shift, shift + built.length), [ET_REL]);
      expect([...findSection(file, '.data')!.data]).toEqual([1, 2]);
    }
  });

  it('opens a file without sections', () => {
    const built = patched64(patched(buildElf({}), 58, 0, 0, 0, 0, 0, 0), 40, 0n);
    expect(openElf(built, [ET_REL]).sections).toEqual([]);
  });
});

describe('extended section numbering', () => {
  /** 0xff00 is SHN_LORESERVE: from there on no count or index fits the header. */
  const many: BuiltFile = {
    sections: Array.from({ length: 0xff05 }, (_, i) =>
      i === 0xff02 ? { name: '.last', data: bytes(5) } : { type: 0 },
    ),
  };

  it('finds sections beyond 0xff00', () => {
    const file = openElf(buildElf(many), [ET_REL]);
    expect(file.sections).toHaveLength(0xff07);
    expect(findSection(file, '.last')).toMatchObject({ index: 0xff03, data: bytes(5) });
  });
});

describe('hostile section headers', () => {
  const built = buildElf({ sections: [{ name: '.text', data: bytes(1, 2, 3, 4) }] });
  const text = headersAt(built) + 64;

  it.each([
    ['its end is behind the end of the file', 'TRUNCATED', patched64(built, text + 32, BigInt(built.length))],
    ['its offset is', 'TRUNCATED', patched64(built, text + 24, BigInt(built.length + 1))],
    ['its offset is no double', 'TRUNCATED', patched64(built, text + 24, 2n ** 64n - 8n)],
    ['its size is no double', 'TRUNCATED', patched64(built, text + 32, 2n ** 63n)],
    ['its alignment is 3', 'BAD_SECTION', patched64(built, text + 48, 3n)],
    ['its alignment is 2^49 + 1', 'BAD_SECTION', patched64(built, text + 48, 2n ** 49n + 1n)],
    ['its address is no canonical one', 'ADDRESS_RANGE', patched64(built, text + 16, 2n ** 60n)],
    ['its name lies outside the names', 'BAD_SECTION', patched(built, text, 0xff, 0xff, 0xff, 0xff)],
    ['the names are no string table', 'BAD_SECTION', patched(built, text + 64 + 4, 1)],
  ])('refuses a section if %s', (_, code, file) => {
    expect(codeOf(() => openElf(file, [ET_REL]))).toBe(code);
  });

  it('takes a section that ends with the file', () => {
    const { sh_offset } = openElf(built, [ET_REL]).sections[1]!;
    const size = BigInt(built.length - sh_offset);
    expect(openElf(patched64(built, text + 32, size), [ET_REL]).sections[1]!.data).toHaveLength(Number(size));
    expect(codeOf(() => openElf(patched64(built, text + 32, size + 1n), [ET_REL]))).toBe('TRUNCATED');
  });

  it('does not look for the contents of SHT_NOBITS in the file', () => {
    const huge = patched64(patched(built, text + 4, SHT_NOBITS), text + 32, 2n ** 52n);
    expect(openElf(huge, [ET_REL]).sections[1]).toMatchObject({ sh_size: 2 ** 52, data: bytes() });
  });

  it('refuses section names without an end', () => {
    const names = openElf(built, [ET_REL]).sections[2]!;
    const endless = patched(built, names.sh_offset + names.sh_size - 1, 0x41);
    expect(codeOf(() => openElf(endless, [ET_REL]))).toBe('BAD_SECTION');
  });

  it('refuses a segment that runs past the end of the file', () => {
    const sections = [{ name: '.text', data: bytes(1, 2, 3, 4) }];
    const segment = { vaddr: 0xffff800008000000n, section: 0 };
    expect(codeOf(() => openElf(buildElf({ sections, segments: [segment] }), [ET_REL]))).toBeUndefined();
    for (const filesz of [4096n, 2n ** 53n, 2n ** 64n - 1n]) {
      const file = buildElf({ sections, segments: [{ ...segment, filesz }] });
      expect(codeOf(() => openElf(file, [ET_REL]))).toBe('TRUNCATED');
    }
  });

  it('ends every damaged file in one of its own errors', () => {
    const whole = buildElf({
      type: ET_DYN,
      sections: [{ name: '.text', data: bytes(1, 2, 3, 4) }, ...buildSymbols([{ name: 'a' }], 3)],
      segments: [{ vaddr: 0xffff800008000000n, section: 0 }],
    });
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.integer({ min: 0, max: whole.length }), (patches, length) => {
        const file = patches.reduce((copy, [at, value]) => patched(copy, at, value), whole).subarray(0, length);
        const outcome = codeOf(() => openElf(file, [ET_REL, ET_DYN]));
        expect(outcome === undefined || typeof outcome === 'string').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('elfy 1.0.0', () => {
  it('rounds 64-bit fields and reads sh_addralign and sh_entsize two bytes too early, so lib/elf reads them itself', () => {
    const elfy = createRequire(import.meta.url)('elfy') as {
      parse(file: Buffer): {
        entry: number;
        body: { sections: { addr: number; addralign: number; entsize: number }[] };
      };
    };
    const built = buildElf({
      entry: 0xffff800008012345n,
      sections: [
        { name: '.text', addr: 0xffff800008012347n, data: bytes(1), info: 0x00050000, addralign: 8n, entsize: 24n },
      ],
    });
    const { entry, body } = elfy.parse(Buffer.from(built));
    const section = body.sections[1]!;
    expect(BigInt(entry)).toBe(0xffff800008012000n);
    expect(BigInt(section.addr)).toBe(0xffff800008012000n);
    // The upper half of sh_info and six bytes of sh_addralign; the upper two bytes of sh_addralign and six of sh_entsize.
    expect(section.addralign).toBe(8 * 2 ** 16 + 5);
    expect(section.entsize).toBe(24 * 2 ** 16);

    const { header, sections } = openElf(built, [ET_REL]);
    expect(hex(header.e_entry)).toBe('ffff800008012345');
    expect(hex(sections[1]!.sh_addr)).toBe('ffff800008012347');
    expect(sections[1]).toMatchObject({ sh_addralign: 8, sh_entsize: 24 });
  });
});
