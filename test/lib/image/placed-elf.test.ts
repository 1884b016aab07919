import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import * as elf from '../../../lib/elf/constant.js';
import { type ElfFile, findSection, openElf } from '../../../lib/elf/file.js';
import { openSymbolTable } from '../../../lib/elf/symbol-table.js';
import { openKernel } from '../../../lib/image/kernel.js';
import { placedElf } from '../../../lib/image/placed-elf.js';
import { relocateImage } from '../../../lib/reloc/relative.js';
import { readSample, SAMPLE_KERNELS } from '../../support/sample.js';

const OFFSET = 0x2a5f_de00_0000;

async function placed(file: string) {
  const kernel = await openKernel(readSample(file));
  const image = kernel.relocatable();
  relocateImage(image, OFFSET);
  const moved = openElf(placedElf(kernel, image.bytes, OFFSET), [elf.ET_EXEC, elf.ET_DYN]);
  return { kernel, image: image.bytes, file: moved };
}

/** Symbols of an ELF file that lie in memory, by name. */
function symbolsOf(file: ElfFile): Map<string, number> {
  const table = openSymbolTable(file)!;
  const rows = Array.from({ length: table.count }, (_, i) => i).filter(
    (i) => !table.isReserved(i) && table.type(i) !== elf.STT_SECTION && table.name(i) !== '' && table.value(i) < 0,
  );
  return new Map(rows.map((i) => [table.name(i), table.value(i)]));
}

const inMemory = (file: ElfFile) => file.sections.filter(({ sh_flags }) => sh_flags & elf.SHF_ALLOC);

describe.each(SAMPLE_KERNELS.flatMap(({ vmlinux, image }) => [vmlinux, image]))('%s moved', (name) => {
  const moved = placed(name);

  it('has every section’s bytes as they stand in memory, at its run address', async () => {
    const { kernel, image, file } = await moved;
    const start = kernel.linkBase + OFFSET;
    let covered = 0;
    for (const { sh_type, sh_addr, sh_size, data } of inMemory(file)) {
      if (sh_type === elf.SHT_NOBITS) continue;
      const at = sh_addr - start;
      expect(at >= 0 && at + sh_size <= image.length).toBe(true);
      expect(Buffer.compare(data, image.subarray(at, at + sh_size))).toBe(0);
      covered += sh_size;
    }
    expect(covered).toBeGreaterThan(0x4000);
  });

  it('loads the same bytes at the same addresses by its segments', async () => {
    const { kernel, image, file } = await moved;
    const loads = file.segments.filter(({ p_type, p_filesz }) => p_type === elf.PT_LOAD && p_filesz > 0);
    const loaded = new Uint8Array(image.length);
    for (const { p_vaddr, data } of loads) loaded.set(data, p_vaddr - kernel.linkBase - OFFSET);
    expect(Buffer.compare(loaded, image)).toBe(0);
  });

  it('has every symbol at its run address, and begins at _text', async () => {
    const { kernel, file } = await moved;
    const symbols = symbolsOf(file);
    const { names, addresses } = kernel.symbols();
    const counts = new Map<string, number>();
    for (const symbol of names) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    const unique = names
      .map((symbol, i) => ({ symbol, address: addresses[i]! }))
      .filter(({ symbol }) => counts.get(symbol) === 1);
    expect(unique.length).toBeGreaterThan(200);
    for (const { symbol, address } of unique) expect([symbol, symbols.get(symbol)]).toEqual([symbol, address + OFFSET]);
    for (const [symbol, address] of kernel.exports())
      expect([symbol, symbols.get(symbol)]).toEqual([symbol, address + OFFSET]);
    expect(file.header.e_entry).toBe(kernel.linkBase + OFFSET);
  });
});

describe('an Image moved', () => {
  it.each(SAMPLE_KERNELS)('puts every symbol into the section that holds its address: $style', async ({ image }) => {
    const { file } = await placed(image);
    const table = openSymbolTable(file)!;
    for (let i = 1; i < table.count; i++) {
      const section = file.sections[table.shndx(i)];
      if (table.isReserved(i) || table.value(i) >= 0 || !section) continue;
      expect(table.value(i)).toBeGreaterThanOrEqual(section.sh_addr);
    }
  });

  it('has the sections that its symbols mark, executable where code is', async () => {
    const { kernel, file, image } = await placed('6.12/Image.gz');
    expect(inMemory(file).map((section) => section.name)).toEqual([
      '.head.text',
      '.text',
      '.rodata',
      '.init.text',
      '.init.data',
      '.data',
      '.bss',
    ]);
    const executable = inMemory(file).filter(({ sh_flags }) => sh_flags & elf.SHF_EXECINSTR);
    expect(executable.map((section) => section.name)).toEqual(['.head.text', '.text', '.init.text']);
    expect(findSection(file, '.bss')).toMatchObject({
      sh_type: elf.SHT_NOBITS,
      sh_addr: kernel.linkBase + OFFSET + image.length,
      sh_size: kernel.imageSize - image.length,
    });
  });

  it('leaves the kernel’s own bytes alone', async () => {
    const kernel = await openKernel(readSample('6.1/vmlinux'));
    const before = Buffer.from(kernel.elf!.bytes);
    placedElf(kernel, kernel.image, va(OFFSET));
    expect(Buffer.compare(before, kernel.elf!.bytes)).toBe(0);
  });
});
