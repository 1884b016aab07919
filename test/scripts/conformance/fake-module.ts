/**
 * A sample module in the memory of a machine stopped at module_finalize(): its sections at run addresses, the kernel's
 * copy of the section headers and symbols, and struct module, laid out as the C declarations say.
 */
import { type Va, va } from '../../../lib/address.js';
import type { LoadedModule } from '../../../lib/module/loaded-module.js';
import { type ModuleFile, openModule } from '../../../lib/module/module-file.js';
import type { ModuleLoader } from '../../../lib/module/module-loader.js';
import { readSample } from '../../support/sample.js';
import type { FakeRegion } from './fake-stub.js';

/** The kernel's own memory, apart from where modules go. */
const SCRATCH = -(2 ** 40);
const SYMTAB = va(SCRATCH + 0x100000);
const HEADERS = va(SCRATCH + 0x200000);
const FILE_COPY = va(SCRATCH + 0x280000);
const MODULE = va(SCRATCH + 0x300000);

const PLT_COUNTERS_AT = 0x2a8;

export interface FakeModule {
  readonly file: ModuleFile;
  readonly loaded: LoadedModule;
  readonly memory: readonly FakeRegion[];
  readonly registers: Readonly<Record<'x0' | 'x1' | 'x2', bigint>>;
}

export function openSample(name: string): ModuleFile {
  return openModule(readSample(`6.12/${name}.ko`), name);
}

/** Loads a module and puts it into memory; bytes are copies that may be changed. */
export function fakeModule(loader: ModuleLoader, name: string): FakeModule {
  const file = openSample(name);
  const loaded = loader.load(file);
  const sections = loaded.sections.map(({ address, bytes }) => ({ address, bytes: Uint8Array.from(bytes) }));
  const percpu = percpuOf(file, loaded);
  const memory = [
    ...sections.filter(({ bytes }) => bytes.length > 0),
    { address: HEADERS, bytes: headersOf(file, loaded) },
    { address: SYMTAB, bytes: symbolsOf(file, percpu) },
    { address: MODULE, bytes: structModule(file, loaded) },
  ];
  return { file, loaded, memory, registers: { x0: 0n, x1: unsigned(HEADERS), x2: unsigned(MODULE) } };
}

const unsigned = (address: Va): bigint => BigInt.asUintN(64, BigInt(address));

/** Where the loader put the module's per-CPU data. */
function percpuOf({ elf, symbols }: ModuleFile, loaded: LoadedModule): Va | undefined {
  const section = elf.sections.findIndex(({ name }) => name === '.data..percpu');
  for (let i = 1; i < symbols.count; i++) {
    if (section > 0 && symbols.shndx(i) === section) return va(loaded.symbols[i]! - symbols.value(i));
  }
  return undefined;
}

/** Elf64_Shdr: sh_flags at 8, sh_addr at 16, sh_size at 32. */
function headersOf({ elf, symbols }: ModuleFile, loaded: LoadedModule): Uint8Array {
  const bytes = Buffer.alloc(elf.sections.length * 64);
  // What is not loaded keeps its size, and gets an address in the copy of the file.
  elf.sections.forEach(({ sh_size }, index) => {
    bytes.writeBigUInt64LE(unsigned(FILE_COPY), index * 64 + 16);
    bytes.writeBigUInt64LE(BigInt(sh_size), index * 64 + 32);
  });
  for (const { index, address, bytes: content, sh_flags } of loaded.sections) {
    bytes.writeBigUInt64LE(BigInt(sh_flags), index * 64 + 8);
    bytes.writeBigUInt64LE(unsigned(address), index * 64 + 16);
    bytes.writeBigUInt64LE(BigInt(content.length), index * 64 + 32);
  }
  bytes.writeBigUInt64LE(unsigned(SYMTAB), symbols.section.index * 64 + 16);
  return bytes;
}

/** simplify_symbols() adds the address of the per-CPU allocation to the symbols that lie there. */
function symbolsOf({ elf, symbols }: ModuleFile, percpu: Va | undefined): Uint8Array {
  const bytes = Buffer.from(symbols.section.data);
  for (let i = 1; i < symbols.count; i++) {
    const section = symbols.isReserved(i) ? undefined : elf.sections[symbols.shndx(i)];
    if (section?.name === '.data..percpu') bytes.writeBigUInt64LE(unsigned(va(percpu! + symbols.value(i))), i * 24 + 8);
  }
  return Uint8Array.from(bytes);
}

/** name at 24; two struct mod_plt_sec somewhere behind it. */
function structModule({ name, elf }: ModuleFile, { plt }: LoadedModule): Uint8Array {
  const self = elf.sections.find((section) => section.name === '.gnu.linkonce.this_module')!;
  const bytes = Buffer.alloc(self.sh_size);
  bytes.writeUInt32LE(1, 0);
  bytes.write(`${name}\0`, 24, 'latin1');
  const index = (section: string): number => elf.sections.find((one) => one.name === section)!.index;
  const { core, init } = plt;
  [index('.plt'), core.used, core.reserved, index('.init.plt'), init.used, init.reserved].forEach((value, i) => {
    bytes.writeInt32LE(value, PLT_COUNTERS_AT + 4 * i);
  });
  return Uint8Array.from(bytes);
}
