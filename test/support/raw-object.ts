/** Reads an object file's sections, symbols and relocations by the offsets of gABI chapter 4, in bigint and without lib/elf. */

export interface RawSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly size: number;
  readonly align: number;
  readonly info: number;
  readonly data: Uint8Array;
}

export interface RawSymbol {
  readonly name: string;
  readonly bind: number;
  readonly section: number;
  readonly value: bigint;
}

export interface RawRelocation {
  /** Index of the section that is relocated. */
  readonly target: number;
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: bigint;
}

export interface RawObject {
  readonly sections: readonly RawSection[];
  readonly symbols: readonly RawSymbol[];
  /** In the order of the file. */
  readonly relocations: readonly RawRelocation[];
}

function stringAt(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString('latin1');
}

/** Trusts the file: it is one of our own. */
export function readObject(bytes: Uint8Array): RawObject {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const headers = Array.from({ length: view.getUint16(60, true) }, (_, i) => u64(40) + 64 * i);
  const contents = headers.map((at) => bytes.subarray(u64(at + 24), u64(at + 24) + u64(at + 32)));
  const names = contents[view.getUint16(62, true)]!;
  const sections = headers.map((at, i): RawSection => {
    const type = view.getUint32(at + 4, true);
    return {
      name: stringAt(names, view.getUint32(at, true)),
      type,
      flags: u64(at + 8),
      size: u64(at + 32),
      align: u64(at + 48),
      info: view.getUint32(at + 44, true),
      data: type === 8 ? new Uint8Array(u64(at + 32)) : contents[i]!,
    };
  });
  const symtab = sections.findIndex(({ type }) => type === 2);
  const strtab = contents[view.getUint32(headers[symtab]! + 40, true)]!;
  const symbols = records(contents[symtab]!, (record) => ({
    name: stringAt(strtab, record.getUint32(0, true)),
    bind: record.getUint8(4) >> 4,
    section: record.getUint16(6, true),
    value: record.getBigUint64(8, true),
  }));
  const relocations = sections
    .filter(({ type }) => type === 4)
    .flatMap(({ data, info }) =>
      records(data, (record) => ({
        target: info,
        offset: Number(record.getBigUint64(0, true)),
        type: record.getUint32(8, true),
        symbol: record.getUint32(12, true),
        addend: record.getBigInt64(16, true),
      })),
    );
  return { sections, symbols, relocations };
}

/** Symbols and RELA records have 24 bytes each. */
function records<T>(data: Uint8Array, read: (record: DataView) => T): T[] {
  return Array.from({ length: data.length / 24 }, (_, i) =>
    read(new DataView(data.buffer, data.byteOffset + 24 * i, 24)),
  );
}
