/**
 * What a module exports, as frames and offsets: read from the relocations of its `__ksymtab` sections, which nothing has applied.
 *
 * `lib/module/export-table.ts` reads the same from relocated bytes.
 */
import type { RelaTable } from '../elf/rela-table.js';
import type { PreparedModule } from '../module/load.js';
import { SymbolDestinations } from './branch-destination.js';

export interface ExportColumn {
  readonly names: readonly string[];
  /** As the frames and offsets of branches; the module's own regions. */
  readonly frames: Int32Array;
  readonly offsets: Float64Array;
}

const SECTIONS = ['__ksymtab', '__ksymtab_gpl'];
/** KSYM_NAME_LEN. */
const NAME_LIMIT = 512;

interface Reference {
  readonly symbol: number;
  readonly addend: number;
}

export function exportColumn(prepared: PreparedModule): ExportColumn {
  const { frobbed, environment } = prepared;
  const { entrySize, isRelative } = environment.rule.ksymtab;
  const destinations = new SymbolDestinations(prepared, () => undefined);
  const found = new Map<string, readonly [frame: number, offset: number]>();
  for (const name of SECTIONS) {
    const table = frobbed.sections.find(({ section }) => section.name === name);
    const relocations = frobbed.relocations.find(({ target }) => target === table?.section.index);
    if (!table || !relocations) continue;
    const references = referencesOf(relocations.relas, prepared.file.symbols.count);
    for (let at = 0; at + entrySize <= table.sh_size; at += entrySize) {
      const value = references.get(at);
      const exported = nameAt(prepared, references.get(at + (isRelative ? 4 : 8)));
      if (!value || exported === undefined || found.has(exported)) continue;
      found.set(exported, [destinations.frame(value.symbol), destinations.offset(value.symbol) + value.addend]);
    }
  }
  return {
    names: [...found.keys()],
    frames: Int32Array.from(found.values(), ([frame]) => frame),
    offsets: Float64Array.from(found.values(), ([, offset]) => offset),
  };
}

function referencesOf(relas: RelaTable, symbols: number): Map<number, Reference> {
  const references = new Map<number, Reference>();
  for (let i = 0; i < relas.count; i++) {
    const symbol = relas.symbol(i);
    if (symbol < symbols) references.set(relas.offset(i), { symbol, addend: Number(relas.addend(i)) });
  }
  return references;
}

/** The string that a reference leads to, in the file's own bytes. */
function nameAt({ file }: PreparedModule, reference: Reference | undefined): string | undefined {
  if (!reference) return undefined;
  const section = file.elf.sections[file.symbols.shndx(reference.symbol)];
  const start = file.symbols.value(reference.symbol) + reference.addend;
  if (!section || start < 0) return undefined;
  const length = section.data.subarray(start, start + NAME_LIMIT).indexOf(0);
  return length <= 0 ? undefined : Buffer.from(section.data.subarray(start, start + length)).toString('latin1');
}
