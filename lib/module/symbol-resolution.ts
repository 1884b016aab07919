/**
 * Gives every symbol of a module its run address.
 * @see Linux 6.1 kernel/module/main.c, simplify_symbols()
 */
import { type Va, va } from '../address.js';
import * as elf from '../elf/constant.js';
import { ModuleError } from '../errors.js';
import type { ModuleFile } from './module-file.js';

export interface Resolution {
  /** Run address of an export of the kernel or of a module loaded before. */
  readonly lookup: (name: string) => Va | undefined;
  /** Address of a section of this module; undefined if it was left out of a plan. */
  readonly sectionAddress: (index: number) => Va | undefined;
}

const UNRESOLVED = 0 as Va;

/** No module imports as many symbols; long names named over and over would make the list larger than the file. */
const MISSING_LIMIT = 4096;

/**
 * By symbol index; undefined: in a section that a plan leaves out.
 * @throws ModuleError UNDEFINED_SYMBOLS that lists all that are missing, in `details.symbols` too; BAD_LAYOUT for a common
 * symbol or one in a section that does not exist
 */
export function resolveSymbols(
  { symbols, elf: file }: ModuleFile,
  { lookup, sectionAddress }: Resolution,
): (Va | undefined)[] {
  const addresses: (Va | undefined)[] = [UNRESOLVED];
  const missing: string[] = [];
  for (let i = 1; i < symbols.count && missing.length < MISSING_LIMIT; i++) {
    const shndx = symbols.shndx(i);
    if (symbols.isReserved(i)) {
      if (shndx === elf.SHN_COMMON)
        throw new ModuleError('BAD_LAYOUT', `common symbol '${symbols.name(i)}': compile with -fno-common`);
      addresses.push(shndx === elf.SHN_ABS ? symbols.value(i) : UNRESOLVED);
    } else if (shndx === elf.SHN_UNDEF) {
      const address = lookup(symbols.name(i));
      if (address === undefined && symbols.bind(i) !== elf.STB_WEAK) missing.push(symbols.name(i));
      addresses.push(address ?? UNRESOLVED);
    } else if (shndx >= file.sections.length) {
      throw new ModuleError(
        'BAD_LAYOUT',
        `symbol '${symbols.name(i)}' is in section ${shndx} of ${file.sections.length}`,
      );
    } else {
      const section = sectionAddress(shndx);
      addresses.push(section === undefined ? undefined : va(section + symbols.value(i)));
    }
  }
  if (missing.length > 0) {
    throw new ModuleError('UNDEFINED_SYMBOLS', `unknown symbol ${missing.map((name) => `'${name}'`).join(', ')}`, {
      symbols: missing,
    });
  }
  return addresses;
}
