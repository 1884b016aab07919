/**
 * A module as the kernel has it when module_finalize(hdr, sechdrs, mod) is entered: relocated, alternatives unpatched.
 *
 * `sechdrs` is the kernel's copy of the section headers, sh_addr being where it put each section. Offsets in
 * struct module differ from kernel to kernel; the two fields needed beyond its name are told by what they must hold.
 *
 * @see Linux 6.1 kernel/module/main.c, post_relocation(); arch/arm64/include/asm/module.h
 */
import { type Va, va, vaFromBigInt } from '../../lib/address.js';
import * as elf from '../../lib/elf/constant.js';
import type { ModuleFile } from '../../lib/module/module-file.js';
import type { GdbClient } from './gdb-client.js';

export interface RecordedSection {
  readonly index: number;
  readonly name: string;
  readonly address: Va;
  readonly bytes: Uint8Array;
}

export interface ModuleRecording {
  /** SHF_ALLOC sections of some size, in header order, without those nobody compares. */
  readonly sections: readonly RecordedSection[];
  readonly percpu: Va | undefined;
  /** plt_num_entries of both PLTs; undefined where struct module does not show them. */
  readonly pltEntries: { readonly core: number; readonly init: number } | undefined;
}

/** struct module, which the kernel fills as it goes, and the symbols, of which it makes its own tables. */
const NOT_COMPARED = new Set(['.gnu.linkonce.this_module', '.symtab', '.strtab']);

const HEADER_SIZE = 64;
const PLT_ENTRY_SIZE = 12;
/** struct module begins: enum module_state state; struct list_head list; char name[]. */
const NAME_OFFSET = 24;
const NAME_SIZE = 56;

interface RuntimeHeader {
  readonly flags: number;
  readonly address: bigint;
  readonly size: number;
}

async function register(gdb: GdbClient, name: string): Promise<Va> {
  return vaFromBigInt(await gdb.readRegister(name));
}

/** The name of the struct module that register `pointer` points to. */
export async function readModuleName(gdb: GdbClient, pointer: 'x0' | 'x2'): Promise<string> {
  const name = Buffer.from(await gdb.readMemory((await register(gdb, pointer)) + NAME_OFFSET, NAME_SIZE));
  return name.toString('latin1', 0, name.indexOf(0));
}

/** Reads a module of a machine that is stopped at module_finalize(). @throws GdbError */
export async function recordModule(gdb: GdbClient, file: ModuleFile): Promise<ModuleRecording> {
  const headers = await readHeaders(gdb, file.elf.sections.length);
  const sections: RecordedSection[] = [];
  for (const { index, name } of file.elf.sections) {
    const { flags, address, size } = headers[index]!;
    if ((flags & elf.SHF_ALLOC) === 0 || size === 0 || NOT_COMPARED.has(name)) continue;
    const at = vaFromBigInt(address);
    sections.push({ index, name, address: at, bytes: await gdb.readMemory(at, size) });
  }
  const percpu = await findPercpu(gdb, file, headers);
  return { sections, percpu, pltEntries: await findPltEntries(gdb, file, headers) };
}

async function readHeaders(gdb: GdbClient, count: number): Promise<RuntimeHeader[]> {
  const bytes = Buffer.from(await gdb.readMemory(await register(gdb, 'x1'), count * HEADER_SIZE));
  return Array.from({ length: count }, (_, i) => ({
    flags: bytes.readUInt32LE(i * HEADER_SIZE + 8),
    address: bytes.readBigUInt64LE(i * HEADER_SIZE + 16),
    size: Number(bytes.readBigUInt64LE(i * HEADER_SIZE + 32)),
  }));
}

/** The per-CPU allocation: how far its symbols have moved in the kernel's copy of the symbol table. */
async function findPercpu(
  gdb: GdbClient,
  { elf: { sections }, symbols }: ModuleFile,
  headers: readonly RuntimeHeader[],
): Promise<Va | undefined> {
  const percpu = sections.find(({ name }) => name === '.data..percpu')?.index;
  if (percpu === undefined) return undefined;
  for (let i = 1; i < symbols.count; i++) {
    if (symbols.isReserved(i) || symbols.shndx(i) !== percpu) continue;
    const entry = vaFromBigInt(headers[symbols.section.index]!.address) + i * elf.SYM_SIZE;
    const value = Buffer.from(await gdb.readMemory(entry + 8, 8)).readBigUInt64LE();
    return va(vaFromBigInt(value) - symbols.value(i));
  }
  return undefined;
}

/**
 * Finds `struct mod_plt_sec { int plt_shndx, plt_num_entries, plt_max_entries; } core, init;` in struct module:
 * four of the six numbers are known.
 */
async function findPltEntries(
  gdb: GdbClient,
  { elf: { sections } }: ModuleFile,
  headers: readonly RuntimeHeader[],
): Promise<ModuleRecording['pltEntries']> {
  const indexOf = (name: string): number | undefined => sections.find((section) => section.name === name)?.index;
  const core = indexOf('.plt');
  const init = indexOf('.init.plt');
  const self = sections.find(({ name }) => name === '.gnu.linkonce.this_module');
  if (core === undefined || init === undefined || self === undefined) return undefined;
  const most = (index: number): number => headers[index]!.size / PLT_ENTRY_SIZE - 1;
  const known = [core, undefined, most(core), init, undefined, most(init)];

  const module = Buffer.from(await gdb.readMemory(await register(gdb, 'x2'), self.sh_size));
  const matches: number[] = [];
  for (let at = 0; at + known.length * 4 <= module.length; at += 4) {
    if (known.every((value, i) => value === undefined || module.readInt32LE(at + 4 * i) === value)) matches.push(at);
  }
  const [at] = matches;
  if (at === undefined || matches.length > 1) return undefined;
  return { core: module.readInt32LE(at + 4), init: module.readInt32LE(at + 16) };
}
