/**
 * What a module's sections hold once loaded, a second time: every relocation of the file by the bigint reference, in the order of
 * the file, exception entries sorted by hand. Knows no PLT: branches out of reach are handed back.
 */
import type { RawObject, RawRelocation } from './raw-object.js';
import { REFERENCE, referenceRelocation } from './reference-relocation.js';

export interface Addresses {
  /** Run address of a loaded section by index; undefined for one that is not loaded. */
  readonly section: (index: number) => bigint | undefined;
  readonly percpu: bigint;
  /** Run address of what the module imports. */
  readonly imported: (name: string) => bigint;
}

export interface ReferenceLoad {
  /** Bytes by section index, of those that are loaded and have relocations. */
  readonly sections: ReadonlyMap<number, Uint8Array>;
  /** Branches that do not reach S + A; their words are as in the file. */
  readonly unreached: readonly (RawRelocation & { readonly place: bigint; readonly destination: bigint })[];
}

const ABS = 0xfff1;
const BRANCHES = [282, 283];

export function symbolAddress({ sections, symbols }: RawObject, index: number, addresses: Addresses): bigint {
  const { name, section, value } = symbols[index]!;
  if (section === ABS) return value;
  if (section === 0) return index === 0 ? 0n : addresses.imported(name);
  if (sections[section]!.name === '.data..percpu') return addresses.percpu + value;
  return (addresses.section(section) ?? 0n) + value;
}

export function referenceLoad(object: RawObject, addresses: Addresses): ReferenceLoad {
  const sections = new Map<number, Uint8Array>();
  const unreached: (RawRelocation & { place: bigint; destination: bigint })[] = [];
  for (const relocation of object.relocations) {
    const { target, offset, type, symbol, addend } = relocation;
    const address = addresses.section(target);
    if (address === undefined) continue;
    const bytes = sections.get(target) ?? object.sections[target]!.data.slice();
    sections.set(target, bytes);
    if (!(type in REFERENCE)) continue;
    // The reference looks at 8 bytes wherever the place is.
    const word = new DataView(new ArrayBuffer(8));
    bytes.subarray(offset, offset + 8).forEach((byte, i) => {
      word.setUint8(i, byte);
    });
    const S = symbolAddress(object, symbol, addresses);
    const place = address + BigInt(offset);
    const outcome = referenceRelocation({ type, S, A: addend, P: place, before: word.getBigUint64(0, true) });
    if (outcome.status === 'ok') {
      word.setBigUint64(0, outcome.after, true);
      bytes.set(new Uint8Array(word.buffer, 0, Math.min(8, bytes.length - offset)), offset);
    } else if (BRANCHES.includes(type)) unreached.push({ ...relocation, place, destination: S + addend });
    else throw new Error(`${object.sections[target]!.name}+${offset}: type ${type} is out of range`);
  }
  return { sections, unreached };
}

/** The entries of a relocated `__ex_table` in the order of their instructions, as its bytes. */
export function sortedExceptionTable(table: Uint8Array, entrySize: number): Uint8Array {
  const read = new DataView(table.buffer, table.byteOffset, table.length);
  const entries = Array.from({ length: table.length / entrySize }, (_, i) => i * entrySize);
  const sorted = entries
    .map((at) => ({ at, instruction: at + read.getInt32(at, true), fixup: at + 4 + read.getInt32(at + 4, true) }))
    .sort((a, b) => a.instruction - b.instruction);
  const result = Uint8Array.from(table);
  const write = new DataView(result.buffer);
  sorted.forEach(({ at, instruction, fixup }, i) => {
    const to = i * entrySize;
    write.setInt32(to, instruction - to, true);
    write.setInt32(to + 4, fixup - to - 4, true);
    for (let byte = 8; byte < entrySize; byte++) result[to + byte] = table[at + byte]!;
  });
  return result;
}
