/**
 * kallsyms tables for tests, in the layouts that Linux's scripts/kallsyms.c has had, written from what the tables are:
 * names as sequences of tokens, a marker for every 256th name, addresses as offsets.
 */

export interface BuiltKallsyms {
  /** Ascending by address; a name begins with nm's type letter. */
  readonly symbols: readonly { readonly name: string; readonly address: bigint }[];
  /**
   * `offsets-first`: up to 6.3, offsets and base stand before the names. `offsets-last`: from 6.4, behind the token index.
   * `self-relative`: from 7.0, each offset counts from its own place, and tables are aligned to 4.
   */
  readonly layout: 'offsets-first' | 'offsets-last' | 'self-relative';
  /** 8 bytes up to 4.19. */
  readonly markerSize: 4 | 8;
  /** kallsyms_seqs_of_names: none up to 6.1, before the token table in 6.2 and 6.3, last from 6.4. */
  readonly sequences: 'none' | 'before-tokens' | 'last';
  /** Strings that get a token of their own beside the single characters. */
  readonly tokens?: readonly string[];
  /** Where the tables are put, and the link address of the image they are in. */
  readonly at: number;
  readonly base: bigint;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
};

/** Token 0x00-0x1f and 0x7f-0xff are free for strings; the others are the character itself. */
function tokenStrings(extra: readonly string[]): string[] {
  const free = [...extra];
  return Array.from({ length: 256 }, (_, i) => (i > 0x20 && i < 0x7f ? String.fromCharCode(i) : (free.shift() ?? '')));
}

function encodeName(name: string, tokens: readonly string[]): Buffer {
  const sequence: number[] = [];
  for (let at = 0; at < name.length; ) {
    const rest = name.slice(at);
    const long = tokens.findIndex((token) => token.length > 1 && rest.startsWith(token));
    sequence.push(long >= 0 ? long : name.charCodeAt(at));
    at += long >= 0 ? tokens[long]!.length : 1;
  }
  const { length } = sequence;
  return Buffer.from([...(length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]), ...sequence]);
}

/** The tables' bytes, to stand at `at` of the image. */
export function buildKallsyms(tables: BuiltKallsyms): Buffer {
  const { symbols, layout, markerSize, sequences, at, base } = tables;
  const align = layout === 'self-relative' ? 4 : 8;
  const tokens = tokenStrings(tables.tokens ?? []);
  let bytes = Buffer.alloc(0);
  const append = (piece: Uint8Array): void => {
    const start = Math.ceil(bytes.length / align) * align;
    bytes = Buffer.concat([bytes, Buffer.alloc(start - bytes.length), piece]);
  };
  const lowest = symbols[0]?.address ?? base;
  const offsets = () => {
    const start = at + Math.ceil(bytes.length / align) * align;
    return Buffer.concat(
      symbols.map(({ address }, i) =>
        u32(Number(layout === 'self-relative' ? address - base - BigInt(start + 4 * i) : address - lowest)),
      ),
    );
  };
  const relativeBase = Buffer.alloc(8);
  relativeBase.writeBigUInt64LE(lowest);
  const names = symbols.map(({ name }) => encodeName(name, tokens));
  const sequence = Buffer.alloc(3 * symbols.length, 0x11);

  if (layout === 'offsets-first') {
    append(offsets());
    append(relativeBase);
  }
  append(u32(symbols.length));
  append(Buffer.concat(names));
  let end = 0;
  const markers = names.flatMap((name, i) => {
    const start = end;
    end += name.length;
    return i % 256 === 0 ? [Buffer.concat([u32(start), Buffer.alloc(markerSize - 4)])] : [];
  });
  append(Buffer.concat(markers));
  if (sequences === 'before-tokens') append(sequence);
  append(Buffer.from(tokens.map((token) => `${token}\0`).join(''), 'latin1'));
  const index = Buffer.alloc(512);
  tokens.reduce((start, token, i) => {
    index.writeUInt16LE(start, 2 * i);
    return start + token.length + 1;
  }, 0);
  append(index);
  if (layout !== 'offsets-first') append(offsets());
  if (layout === 'offsets-last') append(relativeBase);
  if (sequences === 'last') append(sequence);
  return bytes;
}
