/**
 * A module object as it lies on disk: ELF, symbols, `.modinfo`.
 *
 * A signature appended to the file (`~Module signature appended~`) lies behind everything the headers name, and is ignored.
 */
import * as elf from '../elf/constant.js';
import { type ElfFile, findSection, openElf } from '../elf/file.js';
import { openSymbolTable, type SymbolTable } from '../elf/symbol-table.js';
import { ModuleError } from '../errors.js';
import { type Modinfo, parseModinfo } from './modinfo.js';

export interface ModuleFile {
  /** The module's name as the kernel knows it, dashes as underscores. */
  readonly name: string;
  readonly elf: ElfFile;
  readonly symbols: SymbolTable;
  readonly modinfo: Modinfo;
}

/** What can be a file's name too, and no path: MODULE_NAME_LEN is 56. */
const NAME = /^[A-Za-z0-9_+][A-Za-z0-9_+.]{0,54}$/;

/** How the kernel spells a module's name. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

/**
 * Opens a module object, uncompressed. Checks the ELF structure, that it has symbols and `.modinfo`, and that it is no live patch.
 * @param fallbackName for a module whose `.modinfo` has no name, as before 4.14: the file's base name
 * @throws ElfFormatError, ModuleError NOT_A_MODULE or LIVEPATCH
 */
export function openModule(bytes: Uint8Array, fallbackName: string): ModuleFile {
  const file = openElf(bytes, [elf.ET_REL]);
  if (file.sections.length >= elf.SHN_LORESERVE) {
    throw new ModuleError(
      'NOT_A_MODULE',
      `${file.sections.length} sections: the kernel's loader knows no extended numbering`,
    );
  }
  const symbols = openSymbolTable(file);
  const info = findSection(file, '.modinfo');
  if (!symbols) throw new ModuleError('NOT_A_MODULE', 'no symbol table: stripped, or no kernel module');
  if (!info) throw new ModuleError('NOT_A_MODULE', 'no .modinfo section: an object file, but no kernel module');
  const modinfo = parseModinfo(info.data);
  if (modinfo.isLivepatch) {
    throw new ModuleError(
      'LIVEPATCH',
      'a live patch: its relocations are resolved by the live patching core, which is not modelled',
    );
  }
  const name = moduleName(modinfo.name ?? fallbackName);
  if (!NAME.test(name)) throw new ModuleError('NOT_A_MODULE', `'${name}' is no module name`);
  return { name, elf: file, symbols, modinfo };
}
