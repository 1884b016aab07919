/** Module objects on disk: single files, or a /lib/modules tree. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findSection } from '../lib/elf/file.js';
import { unpack } from '../lib/image/container.js';
import { type ModuleFile, moduleName, openModule } from '../lib/module/module-file.js';
import { readInput } from './input.js';
import { aboutFile, UsageError } from './output/error.js';

const MODULE_FILE = /\.ko(\.(xz|gz|zst))?$/;

/** The file name's part that names the module. */
export function nameOfFile(file: string): string {
  return moduleName(basename(file).replace(MODULE_FILE, ''));
}

export async function readModule(file: string): Promise<ModuleFile> {
  return aboutFile(file, async () => openModule((await unpack(readInput(file))).bytes, nameOfFile(file)));
}

/** Every module below a folder: its path by its name. Links are not followed. */
export async function findModules(folder: string): Promise<Map<string, string>> {
  const entries = await aboutFile(folder, () => readdirSync(folder, { withFileTypes: true, recursive: true }));
  const files = entries.filter((entry) => entry.isFile() && MODULE_FILE.test(entry.name));
  if (files.length === 0) throw new UsageError(`${folder}: no modules (*.ko, *.ko.xz, *.ko.gz, *.ko.zst) below it`);
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [nameOfFile(file), file]),
  );
}

/** Which module of a tree exports each of the symbols, by their names in `__ksymtab_strings`. */
export async function findExporters(
  modules: ReadonlyMap<string, string>,
  symbols: readonly string[],
): Promise<Map<string, string>> {
  const exporters = new Map<string, string>();
  for (const [name, file] of modules) {
    const module = await readModule(file);
    const strings = findSection(module.elf, '__ksymtab_strings');
    const exported = new Set(strings ? Buffer.from(strings.data).toString('latin1').split('\0') : []);
    for (const symbol of symbols) if (exported.has(symbol)) exporters.set(symbol, name);
    if (exporters.size === symbols.length) break;
  }
  return exporters;
}
