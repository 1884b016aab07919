/**
 * ELF64 files for tests, any field of them wrong if wanted: written field by field from gABI chapters 4 and 5 in bigint, with
 * nothing of lib/elf.
 */

export interface BuiltSection {
  readonly name?: string;
  readonly type?: number;
  readonly flags?: bigint;
  readonly addr?: bigint;
  readonly data?: Uint8Array;
  /** Default: that of `data`. */
  readonly size?: bigint;
  /** Default: where `data` is put. */
  readonly offset?: bigint;
  readonly link?: number;
  readonly info?: number;
  readonly addralign?: bigint;
  readonly entsize?: bigint;
}

export interface BuiltSegment {
  readonly type?: number;
  readonly flags?: number;
  readonly vaddr: bigint;
  /** Index into `sections` of the one whose data it loads. */
  readonly section: number;
  readonly filesz?: bigint;
  readonly memsz?: bigint;
}

export interface BuiltFile {
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: bigint;
  /** From index 1 on; the null section and .shstrtab are added. */
  readonly sections?: readonly BuiltSection[];
  readonly segments?: readonly BuiltSegment[];
  /** Whether counts stand in section 0 although they would fit the header. */
  readonly extended?: boolean;
}

const EHDR = 64;
const PHDR = 56;
const SHDR = 64;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;

class Fields {
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u16(at: number, ...values: number[]): void {
    values.forEach((value, i) => {
      this.view.setUint16(at + 2 * i, value, true);
    });
  }

  u32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  u64(at: number, ...values: bigint[]): void {
    values.forEach((value, i) => {
      this.view.setBigUint64(at + 8 * i, BigInt.asUintN(64, value), true);
    });
  }
}

/** Strings joined as in SHT_STRTAB, and where each begins. */
export function stringTable(names: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
  let bytes = Buffer.from([0]);
  const offsets = names.map((name) => {
    const offset = name === '' ? 0 : bytes.length;
    if (name !== '') bytes = Buffer.concat([bytes, Buffer.from(`${name}\0`, 'latin1')]);
    return offset;
  });
  return { bytes, offsets };
}

const roundUp = (x: number, align: number): number => Math.ceil(x / align) * align;

/** The file: header, program headers, contents at multiples of 16, section headers. */
export function buildElf(file: BuiltFile): Uint8Array {
  const given = file.sections ?? [];
  const segments = file.segments ?? [];
  const strings = stringTable([...given.map(({ name }) => name ?? ''), '.shstrtab']);
  const sections: BuiltSection[] = [...given, { type: SHT_STRTAB, data: strings.bytes }];
  let end = EHDR + segments.length * PHDR;
  const offsets = sections.map(({ data, type }) => {
    const offset = roundUp(end, 16);
    end = offset + (type === SHT_NOBITS ? 0 : (data?.length ?? 0));
    return offset;
  });
  const headersAt = roundUp(end, 16);
  const count = sections.length + 1;
  const fields = new Fields(new Uint8Array(headersAt + count * SHDR));
  const extended = file.extended === true || count >= 0xff00;

  fields.bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  fields.u16(16, file.type ?? 1, file.machine ?? 183);
  fields.u32(20, 1);
  fields.u64(24, file.entry ?? 0n, segments.length > 0 ? BigInt(EHDR) : 0n, BigInt(headersAt));
  fields.u16(52, EHDR, PHDR, segments.length, SHDR, extended ? 0 : count, extended ? 0xffff : count - 1);
  segments.forEach((segment, i) => {
    const at = EHDR + i * PHDR;
    const size = BigInt(sections[segment.section]!.data?.length ?? 0);
    fields.u32(at, segment.type ?? 1);
    fields.u32(at + 4, segment.flags ?? 7);
    const offset = BigInt(offsets[segment.section]!);
    fields.u64(at + 8, offset, segment.vaddr, segment.vaddr);
    fields.u64(at + 32, segment.filesz ?? size, segment.memsz ?? segment.filesz ?? size, 4096n);
  });
  if (extended) {
    fields.u64(headersAt + 32, BigInt(count));
    fields.u32(headersAt + 40, count - 1);
  }
  sections.forEach((section, i) => {
    const at = headersAt + (i + 1) * SHDR;
    if (section.data && section.type !== SHT_NOBITS) fields.bytes.set(section.data, offsets[i]!);
    fields.u32(at, strings.offsets[i]!);
    fields.u32(at + 4, section.type ?? 1);
    fields.u64(at + 8, section.flags ?? 0n, section.addr ?? 0n, section.offset ?? BigInt(offsets[i]!));
    fields.u64(at + 32, section.size ?? BigInt(section.data?.length ?? 0));
    fields.u32(at + 40, section.link ?? 0);
    fields.u32(at + 44, section.info ?? 0);
    fields.u64(at + 48, section.addralign ?? 1n, section.entsize ?? 0n);
  });
  return fields.bytes;
}

export interface BuiltSymbol {
  readonly name: string;
  readonly value?: bigint;
  readonly size?: bigint;
  readonly bind?: number;
  readonly type?: number;
  readonly shndx?: number;
}

/** .symtab and .strtab, symbol 0 added; `stringIndex` is the index that .strtab will have. */
export function buildSymbols(symbols: readonly BuiltSymbol[], stringIndex: number): BuiltSection[] {
  const strings = stringTable(symbols.map(({ name }) => name));
  const fields = new Fields(new Uint8Array((symbols.length + 1) * 24));
  symbols.forEach(({ value, size, bind, type, shndx }, i) => {
    const at = (i + 1) * 24;
    fields.u32(at, strings.offsets[i]!);
    fields.view.setUint8(at + 4, ((bind ?? 0) << 4) | (type ?? 0));
    fields.u16(at + 6, shndx ?? 0);
    fields.u64(at + 8, value ?? 0n, size ?? 0n);
  });
  return [
    { name: '.symtab', type: 2, data: fields.bytes, link: stringIndex, addralign: 8n, entsize: 24n },
    { name: '.strtab', type: SHT_STRTAB, data: strings.bytes },
  ];
}

/** Elf64_Rela records. */
export function buildRelas(
  records: readonly { offset: bigint; type: number; symbol?: number; addend?: bigint }[],
): Uint8Array {
  const fields = new Fields(new Uint8Array(records.length * 24));
  records.forEach(({ offset, type, symbol, addend }, i) => {
    fields.u64(i * 24, offset, (BigInt(symbol ?? 0) << 32n) | BigInt(type), addend ?? 0n);
  });
  return fields.bytes;
}

/** A copy with bytes replaced. */
export function patched(bytes: Uint8Array, at: number, ...replacement: readonly number[]): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy.set(replacement, at);
  return copy;
}

/** A copy with a 64-bit little-endian field replaced. */
export function patched64(bytes: Uint8Array, at: number, value: bigint): Uint8Array {
  const copy = new Uint8Array(bytes);
  new DataView(copy.buffer).setBigUint64(at, BigInt.asUintN(64, value), true);
  return copy;
}
