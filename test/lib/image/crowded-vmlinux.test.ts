/** A vmlinux whose headers name the same bytes over and over: copies of them would take gigabytes. */
import { describe, expect, it } from '@jest/globals';
import { openVmlinux, vmlinuxSymbols } from '../../../lib/image/vmlinux.js';
import { type BuiltSection, type BuiltSegment, buildElf, buildSymbols } from '../../support/elf-builder.js';
import { codeOf } from '../../support/thrown.js';

const ET_DYN = 3;
const TEXT = -0x7fff_f800_0000n;
const text: BuiltSection = { name: '.text', flags: 6n, addr: TEXT, data: new Uint8Array(8192) };

const vmlinux = (segments: readonly BuiltSegment[], sections: readonly BuiltSection[] = []) =>
  openVmlinux(buildElf({ type: ET_DYN, sections: [text, ...sections], segments }));
const segment = (vaddr: bigint, more: Partial<BuiltSegment> = {}): BuiltSegment => ({ section: 0, vaddr, ...more });

describe('openVmlinux', () => {
  it('lays out segments that lie apart, up to 64 MiB', () => {
    expect(vmlinux([segment(TEXT)]).image.length).toBe(8192);
    const far = segment(TEXT + 2n ** 26n - 8192n, { filesz: 8n });
    expect(codeOf(() => vmlinux([segment(TEXT, { filesz: 4096n }), far]))).toBeUndefined();
    const further = segment(TEXT + 2n ** 27n, { filesz: 8n });
    expect(codeOf(() => vmlinux([segment(TEXT, { filesz: 4096n }), further]))).toBe('TOO_LARGE');
  });

  it('allocates what is in the file, whatever a segment takes in memory', () => {
    expect(vmlinux([segment(TEXT, { memsz: 2n ** 50n })]).image.length).toBe(8192);
  });

  it('refuses segments that load the same bytes', () => {
    expect(codeOf(() => vmlinux(Array.from({ length: 3 }, () => segment(TEXT))))).toBe('BAD_TABLE');
  });
});

describe('vmlinuxSymbols', () => {
  /** Symbols that are all named by the one string. */
  function named(count: number, length: number): string[] {
    const symbols = Array.from({ length: count }, () => ({ name: '', value: TEXT, shndx: 1 }));
    const [table] = buildSymbols(symbols, 3);
    const view = new DataView(table!.data!.buffer);
    for (let i = 1; i <= count; i++) view.setUint32(i * 24, 1, true);
    const strings: BuiltSection = { name: '.strtab', type: 3, data: Buffer.from(`\0${'n'.repeat(length)}\0`) };
    return [...vmlinuxSymbols(vmlinux([segment(TEXT)], [table!, strings])).names];
  }

  it('takes names that symbols share', () => {
    expect(named(1000, 60)).toEqual(Array<string>(1000).fill('n'.repeat(60)));
  });

  it('refuses thousands of symbols that share a long one', () => {
    expect(codeOf(() => named(1000, 4000))).toBe('BAD_TABLE');
  });
});
