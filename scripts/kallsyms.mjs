/**
 * The kallsyms tables of a sample kernel: reads `nm` output on stdin, writes assembly to stdout.
 *
 *     nm vmlinux | node scripts/kallsyms.mjs LAYOUT > kallsyms.S
 *
 * The format, as decoders see it: each symbol is its type letter and name, compressed with up to 256 tokens
 * (a character in use stands for itself, every other code for a frequent string) and preceded by its length;
 * a marker per 256 symbols gives the place of the 256th; offsets are relative to the lowest address. The order
 * of the tables and some widths changed over time, hence LAYOUT. Addresses go in as plain numbers, and the
 * tables' size follows from the names alone, so linking a second time with the tables in place settles it.
 *
 * @see Linux 6.1 scripts/kallsyms.c and kernel/kallsyms.c for the format; the 6.12 order came with 6.4.
 */
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Layout
 * @property {string[]} order tables in the order they stand in .rodata
 * @property {string} word directive for the count and the markers: `.quad` up to 4.19, `.long` later
 * @property {boolean} allSymbols as with CONFIG_KALLSYMS_ALL; otherwise functions only
 * @property {number} longestName in tokens; two length bytes, and so more than 127, are allowed from 6.1 on
 */

/** @type {Record<string, Layout>} */
const LAYOUTS = {
  4.6: {
    order: ['offsets', 'relative_base', 'num_syms', 'names', 'markers', 'token_table', 'token_index'],
    word: '.quad',
    allSymbols: true,
    longestName: 0x7f,
  },
  6.1: {
    order: ['offsets', 'relative_base', 'num_syms', 'names', 'markers', 'seqs_of_names', 'token_table', 'token_index'],
    word: '.long',
    allSymbols: false,
    longestName: 0x3fff,
  },
  6.12: {
    order: ['num_syms', 'names', 'markers', 'token_table', 'token_index', 'offsets', 'relative_base', 'seqs_of_names'],
    word: '.long',
    allSymbols: true,
    longestName: 0x3fff,
  },
};

/** Symbols no System.map lists: mapping symbols, local labels, export strings; and the tables written here. */
const LEFT_OUT = /^(\$|\.L|__crc_|__kstrtab|kallsyms_)/;

/**
 * @typedef {{address: bigint, type: string, name: string}} MapSymbol
 * @param {string} listing what `nm` printed
 * @param {boolean} allSymbols
 * @returns {{text: bigint, symbols: MapSymbol[]}} `_text`, and the symbols by address, then as listed
 */
function readMap(listing, allSymbols) {
  const symbols = listing
    .split('\n')
    .map((line) => /^([0-9a-f]+) ([a-zA-Z]) (\S+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, address, type, name]) => ({ address: BigInt(`0x${address}`), type, name }))
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const at = Object.fromEntries(symbols.map(({ name, address }) => [name, address]));
  // A name at the very end of the text may come and go between two links, so only the end symbol stays.
  const isFunction = ({ address, name }) =>
    (address >= at._stext && (address < at._etext || name === '_etext')) ||
    (address >= at._sinittext && (address < at._einittext || name === '_einittext'));
  const isListed = (symbol) =>
    !/[aANUw]/.test(symbol.type) && !LEFT_OUT.test(symbol.name) && (allSymbols || isFunction(symbol));
  return { text: at._text, symbols: symbols.filter(isListed) };
}

/**
 * Byte pair encoding: from code 255 down, each code no name uses stands for the most frequent pair of codes,
 * itself possibly a pair, until no pair occurs twice.
 *
 * @param {string[]} names
 * @returns {{tokens: string[], compressed: number[][]}} what each code expands to; each name as codes
 */
function compress(names) {
  let compressed = names.map((name) => [...Buffer.from(name, 'latin1')]);
  const used = new Set(compressed.flat());
  const tokens = Array.from({ length: 256 }, (_, code) => (used.has(code) ? String.fromCharCode(code) : ''));
  for (let code = 255; code >= 0; code--) {
    if (used.has(code)) continue;
    const counts = new Uint32Array(0x10000);
    for (const codes of compressed) for (let i = 1; i < codes.length; i++) counts[codes[i - 1] * 256 + codes[i]]++;
    const best = counts.reduce((winner, count, pair) => (count > counts[winner] ? pair : winner), 0);
    if (counts[best] < 2) break;
    const [first, second] = [best >> 8, best & 255];
    tokens[code] = tokens[first] + tokens[second];
    compressed = compressed.map((codes) => replacePair(codes, first, second, code));
  }
  return { tokens, compressed };
}

/**
 * @param {number[]} codes
 * @param {number} first
 * @param {number} second
 * @param {number} code what stands for the two from now on
 */
function replacePair(codes, first, second, code) {
  const out = [];
  for (let i = 0; i < codes.length; i++) {
    const match = codes[i] === first && codes[i + 1] === second;
    out.push(match ? code : codes[i]);
    if (match) i++;
  }
  return out;
}

/** @param {number} length in tokens; little-endian base 128, one byte up to 127 */
const lengthBytes = (length) => (length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]);

/** @param {Iterable<number>} bytes */
const byteLine = (bytes) => `\t.byte ${[...bytes].join(', ')}`;

/**
 * @param {{text: bigint, symbols: MapSymbol[]}} map
 * @param {Layout} layout
 * @returns {Record<string, string[]>} the lines of each table
 */
function buildTables({ text, symbols }, layout) {
  const { tokens, compressed } = compress(symbols.map(({ type, name }) => type + name));
  const entries = compressed.map((codes) => [...lengthBytes(codes.length), ...codes]);
  const longest = Math.max(...compressed.map((codes) => codes.length));
  if (longest > layout.longestName) throw new Error(`a name takes ${longest} tokens, more than this layout can hold`);

  const markers = [];
  entries.reduce((offset, entry, i) => {
    if (i % 256 === 0) markers.push(offset);
    return offset + entry.length;
  }, 0);
  const tokenOffsets = [];
  tokens.reduce((offset, token) => {
    tokenOffsets.push(offset);
    return offset + token.length + 1;
  }, 0);
  const byName = symbols
    .map(({ name }, seq) => ({ name, seq }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.seq - b.seq));
  const base = symbols[0];

  return {
    offsets: symbols.map(({ address }) => `\t.long ${address - base.address}`),
    relative_base: [`\t.quad _text + ${base.address - text}`],
    num_syms: [`\t${layout.word} ${symbols.length}`],
    names: entries.map(byteLine),
    markers: markers.map((offset) => `\t${layout.word} ${offset}`),
    token_table: tokens.map((token) => `\t.asciz "${token}"`),
    token_index: tokenOffsets.map((offset) => `\t.short ${offset}`),
    seqs_of_names: byName.map(({ seq }) => byteLine([seq >> 16, (seq >> 8) & 255, seq & 255])),
  };
}

const layout = LAYOUTS[process.argv[2]];
if (!layout) throw new Error(`LAYOUT is one of ${Object.keys(LAYOUTS).join(', ')}`);
const tables = buildTables(readMap(readFileSync(0, 'latin1'), layout.allSymbols), layout);
process.stdout.write('\t.section .rodata, "a"\n');
for (const name of layout.order) {
  process.stdout.write(`\t.globl kallsyms_${name}\n\t.balign 8\nkallsyms_${name}:\n${tables[name].join('\n')}\n`);
}
