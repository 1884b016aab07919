/** Kernel modules for tests, written by names where buildElf() wants indices. */
import { type BuiltSection, buildElf, buildRelas, buildSymbols } from './elf-builder.js';

export interface ObjectSection {
  readonly name: string;
  /** Default: SHT_PROGBITS. */
  readonly type?: number;
  readonly flags?: number;
  readonly data?: Uint8Array;
  /** sh_size where it is not that of `data`, as for SHT_NOBITS. */
  readonly size?: number;
  readonly align?: number;
}

export interface ObjectSymbol {
  readonly name: string;
  /** A section's name, or a number as it stands in st_shndx; default: undefined. */
  readonly section?: string | number;
  readonly value?: bigint;
  /** Default: global. */
  readonly bind?: number;
  readonly type?: number;
}

export interface ObjectRelocation {
  readonly offset: number;
  readonly type: number;
  /** A symbol's name, or an index of any value. */
  readonly symbol: string | number;
  readonly addend?: bigint;
}

export interface ObjectFile {
  readonly sections: readonly ObjectSection[];
  readonly symbols?: readonly ObjectSymbol[];
  /** By the name of the section that is relocated. */
  readonly relocations?: Readonly<Record<string, readonly ObjectRelocation[]>>;
}

export const [NOBITS, WRITE, ALLOC, EXEC, RO_AFTER_INIT] = [8, 1, 2, 4, 0x200000] as const;
export const [LOCAL, GLOBAL, WEAK] = [0, 1, 2] as const;
const SHT_RELA = 4;

/** The sections given from index 1 on, then their RELA sections, `.symtab`, `.strtab` and `.shstrtab`. */
export function buildObject({ sections, symbols = [], relocations = {} }: ObjectFile): Uint8Array {
  const symtab = sections.length + Object.keys(relocations).length + 1;
  const sectionIndex = (name: string | number): number =>
    typeof name === 'number' ? name : sections.findIndex((section) => section.name === name) + 1;
  const symbolIndex = (name: string | number): number =>
    typeof name === 'number' ? name : symbols.findIndex((symbol) => symbol.name === name) + 1;
  const relas = Object.entries(relocations).map(
    ([target, records]): BuiltSection => ({
      name: `.rela${target}`,
      type: SHT_RELA,
      data: buildRelas(records.map((one) => ({ ...one, offset: BigInt(one.offset), symbol: symbolIndex(one.symbol) }))),
      addralign: 8n,
      link: symtab,
      info: sectionIndex(target),
      entsize: 24n,
    }),
  );
  const contents = sections.map(
    ({ flags = 0, align = 1, size, ...section }): BuiltSection => ({
      ...section,
      flags: BigInt(flags),
      addralign: BigInt(align),
      ...(size !== undefined && { size: BigInt(size) }),
    }),
  );
  const table = symbols.map(({ section = 0, bind = GLOBAL, ...symbol }) => ({
    ...symbol,
    bind,
    shndx: sectionIndex(section),
  }));
  return buildElf({ sections: [...contents, ...relas, ...buildSymbols(table, symtab + 1)] });
}

/** `.modinfo` of `key=value` pairs. */
export function modinfoSection(...pairs: readonly string[]): ObjectSection {
  return { name: '.modinfo', flags: ALLOC, data: Buffer.from(pairs.map((pair) => `${pair}\0`).join(''), 'latin1') };
}

/** An object file with what makes it a module: `.modinfo` with a name and what else is given, `.plt`, `.init.plt`. */
export function buildModule({ sections, ...rest }: ObjectFile, ...modinfo: readonly string[]): Uint8Array {
  const named = modinfo.some((pair) => pair.startsWith('name=')) ? modinfo : ['name=built', ...modinfo];
  const plts = ['.plt', '.init.plt'].map((name) => ({ name, flags: ALLOC | EXEC, data: Uint8Array.of(0) }));
  return buildObject({ ...rest, sections: [...sections, modinfoSection(...named), ...plts] });
}
