/** Changes to the fields of a sound ELF file: headers, section and program headers, symbols, relocation records. */
import { ET_DYN, ET_EXEC, ET_REL, SHT_RELA, SHT_SYMTAB } from '../../lib/elf/constant.js';
import { type ElfFile, openElf } from '../../lib/elf/file.js';
import { spoilField, writeField } from './byte-mutation.js';
import type { Random } from './random.js';

/** Offset and size of each field of a record. */
type Fields = readonly (readonly [at: number, size: number])[];

const EHDR: Fields = [
  [4, 1],
  [5, 1],
  [16, 2],
  [18, 2],
  [24, 8],
  [32, 8],
  [40, 8],
  [54, 2],
  [56, 2],
  [58, 2],
  [60, 2],
  [62, 2],
];
const SHDR: Fields = [
  [0, 4],
  [4, 4],
  [8, 8],
  [16, 8],
  [24, 8],
  [32, 8],
  [40, 4],
  [44, 4],
  [48, 8],
  [56, 8],
];
const PHDR: Fields = [
  [0, 4],
  [4, 4],
  [8, 8],
  [16, 8],
  [24, 8],
  [32, 8],
  [40, 8],
  [48, 8],
];
const SYM: Fields = [
  [0, 4],
  [4, 1],
  [5, 1],
  [6, 2],
  [8, 8],
  [16, 8],
];
const RELA: Fields = [
  [0, 8],
  [8, 4],
  [12, 4],
  [16, 8],
];

/** A table of records in the file. */
interface Table {
  readonly at: number;
  readonly count: number;
  readonly size: number;
  readonly fields: Fields;
}

function tablesOf({ header, sections }: ElfFile): Table[] {
  const tables = sections.flatMap(({ sh_type, sh_offset, sh_size }): Table[] => {
    const fields = sh_type === SHT_SYMTAB ? SYM : sh_type === SHT_RELA ? RELA : undefined;
    return fields ? [{ at: sh_offset, count: sh_size / 24, size: 24, fields }] : [];
  });
  return [
    { at: 0, count: 1, size: 64, fields: EHDR },
    { at: header.e_shoff, count: header.e_shnum, size: 64, fields: SHDR },
    { at: header.e_phoff, count: header.e_phnum, size: 56, fields: PHDR },
    ...tables,
  ].filter(({ count }) => count > 0);
}

const opened = new WeakMap<Uint8Array, Table[]>();

/** A copy with one field changed, or with two records of a kind made alike. @param sound a file that opens */
export function mutateElf(sound: Uint8Array, bytes: Uint8Array, random: Random): Uint8Array {
  let tables = opened.get(sound);
  if (!tables) {
    tables = tablesOf(openElf(sound, [ET_REL, ET_EXEC, ET_DYN]));
    opened.set(sound, tables);
  }
  const table = random.pick(tables);
  const copy = Uint8Array.from(bytes);
  const record = (): number => table.at + random.below(table.count) * table.size;
  const at = record();
  const [field, size] = random.pick(table.fields);
  switch (random.below(6)) {
    case 0:
      copy.copyWithin(at, record(), record() + table.size);
      return copy;
    case 1:
      copy.copyWithin(at + field, record() + field, record() + field + size);
      return copy;
    case 2:
      // Real types, section indices and flags are small.
      writeField(copy, { at: at + field, size }, BigInt(random.below(320)));
      return copy;
    default:
      spoilField(copy, { at: at + field, size }, random);
      return copy;
  }
}
