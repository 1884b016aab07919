/**
 * Symbols of real kernels: against System.map text recorded by SHA-256 (symbols.json), and what must hold of every kernel
 * that is present, recorded or not.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { hex16 } from '../../lib/address.js';
import { ET_EXEC } from '../../lib/elf/constant.js';
import { openElf } from '../../lib/elf/file.js';
import { openSymbolTable } from '../../lib/elf/symbol-table.js';
import { type Kernel, openKernel } from '../../lib/image/kernel.js';
import { placedElf } from '../../lib/image/placed-elf.js';
import { relocateImage } from '../../lib/reloc/relative.js';
import { describeKernel, presentKernels, readOracle, sha256 } from './support/kernels.js';

interface Oracle {
  id: string;
  kernelSha256: string;
  count: number;
  sha256: string;
}

const ORACLES = Object.values(readOracle<Record<string, Oracle>>('symbols.json'));

function systemMap(kernel: Kernel): string {
  const { names, types, addresses } = kernel.symbols();
  return names.map((name, i) => `${hex16(addresses[i]!)} ${types[i]} ${name}\n`).join('');
}

describe('the recordings', () => {
  it('are of two kernels that list symbols differently: text alone, and all', () => {
    expect(ORACLES.map(({ count }) => count > 100_000)).toEqual([false, true]);
  });
});

for (const { id, kernelSha256, count, sha256: recorded } of ORACLES) {
  describeKernel(id, kernelSha256, (path) => {
    it('lists the symbols that /proc/kallsyms did, in that order', async () => {
      const kernel = await openKernel(readFileSync(path));
      expect(kernel.symbols().count).toBe(count);
      expect(sha256(Buffer.from(systemMap(kernel), 'latin1'))).toBe(recorded);
    });
  });
}

/** Names in `__ksymtab` and `__ksymtab_gpl`, as measured on the booted kernels. */
const EXPORTS: Readonly<Record<string, number>> = {
  '5.10.0-32-arm64': 9991,
  '6.1.0-56-arm64': 10973,
  '6.12.107+deb13-arm64': 11880,
  '7.3.4+deb13-arm64': 15748,
};

const presentTests = (path: string) => () => {
  let opened: Promise<Kernel> | undefined;
  const open = (): Promise<Kernel> => {
    opened ??= openKernel(readFileSync(path));
    return opened;
  };

  it('has symbols of the image alone, ascending, and exports that are among them where both list functions', async () => {
    const kernel = await open();
    const { names, types, addresses } = kernel.symbols();
    const end = kernel.linkBase + kernel.imageSize;
    let last = kernel.linkBase as number;
    for (const address of addresses) {
      if (address < last || address > end) expect(address).toBe(last);
      last = address;
    }
    const functions = new Map<string, Set<number>>();
    names.forEach((name, i) => {
      if (types[i] === 'T') functions.set(name, (functions.get(name) ?? new Set()).add(addresses[i]!));
    });
    const strangers = [...kernel.exports()].filter(
      ([name, address]) => functions.has(name) && !functions.get(name)!.has(address),
    );
    expect(strangers).toEqual([]);
  });

  it('exports as many names as the booted kernel, or as such kernels do', async () => {
    const kernel = await open();
    const measured = EXPORTS[kernel.banner.release];
    if (measured === undefined) expect(kernel.exports().size).toBeGreaterThan(9000);
    else expect(kernel.exports().size).toBe(measured);
  });

  it('becomes an ELF file whose symbols stand where the run kernel has them', async () => {
    const kernel = await open();
    const offset = 0x1f7f_cfe0_0000;
    const image = kernel.relocatable();
    relocateImage(image, offset);
    const file = openElf(placedElf(kernel, image.bytes, offset), [ET_EXEC]);
    const table = openSymbolTable(file)!;
    const found = new Map(Array.from({ length: table.count }, (_, i) => [table.name(i), table.value(i)]));
    const { names, addresses } = kernel.symbols();
    const listed = new Map<string, number | undefined>();
    names.forEach((name, i) => {
      listed.set(name, listed.has(name) ? undefined : addresses[i]!);
    });
    for (const [name, address] of kernel.exports()) if (!listed.has(name)) listed.set(name, address);
    const strangers = [...listed].filter(
      ([name, address]) => address !== undefined && found.get(name) !== address + offset,
    );
    expect(strangers).toEqual([]);
    const covered = file.sections.filter(({ sh_addr, data }) => sh_addr < 0 && data.length > 0);
    expect(covered.reduce((sum, { data }) => sum + data.length, 0)).toBe(image.bytes.length);
  });
};

for (const path of [...presentKernels().values()].sort()) describe(path, presentTests(path));
