import { describe, expect, it } from '@jest/globals';
import { openVmlinux, vmlinuxSymbols } from '../../../lib/image/vmlinux.js';
import { type BuiltSection, type BuiltSymbol, buildElf, buildSymbols } from '../../support/elf-builder.js';
import { codeOf } from '../../support/thrown.js';

const BASE = 0xffff800008000000n;
const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const section = (offset: number, data: Uint8Array, more: Partial<BuiltSection> = {}): BuiltSection => ({
  addr: BASE + BigInt(offset),
  flags: 2n,
  data,
  ...more,
});

describe('openVmlinux', () => {
  it('lays out segments as objcopy does: by address, holes and the end zero', () => {
    const { image, linkBase } = openVmlinux(
      buildElf({
        type: 2,
        sections: [section(0x40, bytes(4, 2)), section(0, bytes(8, 1)), section(0x80, bytes(3, 3))],
        segments: [
          { vaddr: BASE + 0x40n, section: 0 },
          { vaddr: BASE, section: 1 },
          { vaddr: BASE + 0x80n, section: 2, memsz: 0x1000n },
        ],
      }),
    );
    const expected = new Uint8Array(0x88);
    expected.fill(1, 0, 8).fill(2, 0x40, 0x44).fill(3, 0x80, 0x83);
    expect(BigInt.asUintN(64, BigInt(linkBase))).toBe(BASE);
    expect(image).toEqual(expected);
  });

  it('leaves out what is not loaded at a kernel address', () => {
    const { image } = openVmlinux(
      buildElf({
        type: 3,
        sections: [section(0, bytes(8, 1)), { addr: 0x1000n, data: bytes(8, 2) }, section(0x100, bytes(8, 3))],
        segments: [
          { vaddr: BASE, section: 0 },
          { vaddr: 0x1000n, section: 1 },
          { type: 4, vaddr: BASE + 0x100n, section: 2 },
        ],
      }),
    );
    expect(image).toEqual(bytes(8, 1));
  });

  it('refuses segments too far apart to be one image, instead of allocating what lies between', () => {
    const spread = (distance: bigint) =>
      codeOf(() =>
        openVmlinux(
          buildElf({
            type: 2,
            sections: [section(0, bytes(8, 1)), section(8, bytes(8, 1))],
            segments: [
              { vaddr: BASE, section: 0 },
              { vaddr: BASE + distance, section: 1 },
            ],
          }),
        ),
      );
    expect(spread(0x1000000n)).toBeUndefined();
    expect(spread(0x10000000n)).toBe('TOO_LARGE');
    expect(spread(2n ** 46n)).toBe('TOO_LARGE');
  });

  it('refuses a file with no segment at a kernel address, and every type but ET_EXEC and ET_DYN', () => {
    const sections = [section(0, bytes(8, 1))];
    expect(codeOf(() => openVmlinux(buildElf({ type: 2, sections })))).toBe('NOT_A_KERNEL');
    expect(codeOf(() => openVmlinux(buildElf({ type: 1, sections })))).toBe('WRONG_TYPE');
    const user = buildElf({ type: 2, sections, segments: [{ vaddr: 0x400000n, section: 0 }] });
    expect(codeOf(() => openVmlinux(user))).toBe('NOT_A_KERNEL');
  });

  it('takes relocation tables that end with the image, and refuses them a record further or askew', () => {
    const open = (addr: bigint) =>
      openVmlinux(
        buildElf({
          type: 2,
          sections: [section(0, bytes(0x100, 1)), section(0, bytes(24, 0), { name: '.rela.dyn', addr })],
          segments: [{ vaddr: BASE, section: 0 }],
        }),
      );
    expect(open(BASE + 0xe8n).tables.rela).toEqual({ offset: 0xe8, count: 1 });
    expect(codeOf(() => open(BASE + 0xf0n))).toBe('BAD_TABLE');
    expect(codeOf(() => open(BASE + 0xe4n))).toBe('BAD_TABLE');
    expect(codeOf(() => open(BASE - 8n))).toBe('BAD_TABLE');
  });
});

describe('vmlinuxSymbols', () => {
  const [TEXT, DATA, BSS, RODATA] = [1, 2, 3, 4];

  function symbols(...list: BuiltSymbol[]): string[] {
    const file = buildElf({
      type: 2,
      sections: [
        section(0, bytes(8, 1), { flags: 6n }),
        section(8, bytes(8, 1), { flags: 3n }),
        section(16, bytes(0, 0), { flags: 3n, type: 8, size: 8n }),
        section(24, bytes(8, 1), { flags: 2n }),
        ...buildSymbols(list, 6),
      ],
      segments: [{ vaddr: BASE, section: 0 }],
    });
    const { names, types, addresses } = vmlinuxSymbols(openVmlinux(file));
    return names.map((name, i) => `${Number(addresses[i]) - Number(BigInt.asIntN(64, BASE))} ${types[i]} ${name}`);
  }

  const at = (offset: bigint) => ({ value: BASE + offset });

  it('lists them by address with the letters of nm', () => {
    expect(
      symbols(
        { name: 'bss', ...at(16n), shndx: BSS, bind: 1 },
        { name: 'data', ...at(8n), shndx: DATA },
        { name: 'function', ...at(0n), shndx: TEXT, bind: 1, type: 2 },
        { name: 'local', ...at(4n), shndx: TEXT, type: 2 },
        { name: 'constant', ...at(24n), shndx: RODATA, bind: 1 },
        { name: 'weak', ...at(5n), shndx: TEXT, bind: 2 },
      ),
    ).toEqual(['0 T function', '4 t local', '5 W weak', '8 d data', '16 B bss', '24 R constant']);
  });

  it('leaves out what is no place: sections, files, undefined, absolute and mapping symbols, local labels', () => {
    expect(
      symbols(
        { name: 'kept', ...at(0n), shndx: TEXT },
        { name: 'section', ...at(0n), shndx: TEXT, type: 3 },
        { name: 'file.c', ...at(0n), shndx: 0xfff1, type: 4 },
        { name: 'undefined', ...at(0n), shndx: 0 },
        { name: 'absolute', value: 0x123456789abcdef0n, shndx: 0xfff1 },
        { name: '$x', ...at(0n), shndx: TEXT },
        { name: '.L12', ...at(0n), shndx: TEXT },
        { name: 'offset', value: 0x1234n, shndx: TEXT },
        { name: 'nowhere', ...at(0n), shndx: 99 },
      ),
    ).toEqual(['0 t kept']);
  });
});
