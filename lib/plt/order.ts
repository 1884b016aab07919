/**
 * The order in which the kernel counts and applies the relocations of an executable section.
 *
 * It rewrites the records before anything is placed: since 5.9 the branches that may need a PLT entry are moved to the
 * front and sorted there, before that all records are sorted. Entries are emitted in this order, so that the
 * bytes of the PLT depend on it.
 * @see Linux 6.12 arch/arm64/kernel/module-plts.c, partition_branch_plt_relas(), cmp_rela()
 */
import { RELA_WORDS, RelaTable } from '../elf/rela-table.js';
import type { SymbolTable } from '../elf/symbol-table.js';
import { RelocationError } from '../errors.js';
import { R_AARCH64_CALL26, R_AARCH64_JUMP26 } from '../reloc/table.js';
import type { PltFormat } from './format.js';
import { heapsort } from './heapsort.js';

/** What is read of a SymbolTable. */
export type SymbolSections = Pick<SymbolTable, 'count' | 'shndx'>;

/** What tells whether a branch leaves its section. */
export interface BranchContext {
  readonly format: PltFormat;
  readonly symbols: SymbolSections;
  /** Index of the section that is relocated: sh_info of the RELA section. */
  readonly target: number;
}

export function isBranch(type: number): boolean {
  return type === R_AARCH64_CALL26 || type === R_AARCH64_JUMP26;
}

/**
 * Section index of the symbol of record `index`.
 * @throws RelocationError BAD_SYMBOL if the table has no such symbol
 */
export function symbolSection(relas: RelaTable, index: number, symbols: SymbolSections): number {
  const symbol = relas.symbol(index);
  if (symbol >= symbols.count) {
    throw new RelocationError('BAD_SYMBOL', `relocation ${index} names symbol ${symbol} of ${symbols.count}`, {
      index,
      symbol,
    });
  }
  return symbols.shndx(symbol);
}

export function hasAddend({ words }: RelaTable, index: number): boolean {
  return words[index * RELA_WORDS + 4] !== 0 || words[index * RELA_WORDS + 5] !== 0;
}

/** By type, symbol index and addend: zero if two records differ only in their place. */
export function compareRecords({ words }: RelaTable, a: number, b: number): number {
  const x = a * RELA_WORDS;
  const y = b * RELA_WORDS;
  return (
    compareUnsigned(words[x + 2]!, words[y + 2]!) ||
    compareUnsigned(words[x + 3]!, words[y + 3]!) ||
    words[x + 5]! - words[y + 5]! ||
    compareUnsigned(words[x + 4]!, words[y + 4]!)
  );
}

const compareUnsigned = (a: number, b: number): number => (a >>> 0) - (b >>> 0);

/**
 * A copy of the records in the kernel's order; `relas` stays as it is.
 * @throws RelocationError BAD_SYMBOL if a branch names no symbol of the table
 */
export function orderForPlt(relas: RelaTable, context: BranchContext): RelaTable {
  const order = new Uint32Array(relas.count);
  for (let index = 0; index < relas.count; index++) order[index] = index;
  const sorted = context.format.sorted === 'all' ? relas.count : partitionBranches(order, relas, context);
  heapsort(order, sorted, (a, b) => compareRecords(relas, a, b));
  const ordered = new RelaTable(new Uint8Array(relas.words.buffer));
  for (let to = 0; to < relas.count; to++) {
    if (order[to] !== to) copyRecord(relas.words, order[to]! * RELA_WORDS, ordered.words, to * RELA_WORDS);
  }
  return ordered;
}

function copyRecord(source: Int32Array, from: number, target: Int32Array, to: number): void {
  for (let word = 0; word < RELA_WORDS; word++) target[to + word] = source[from + word]!;
}

/**
 * Moves the branches out of the section to the front and returns how many will be sorted. As the kernel does it, the record
 * where the two ends meet is never looked at: if all records are such branches, the last one is left out of the sort.
 */
function partitionBranches(order: Uint32Array, relas: RelaTable, { symbols, target }: BranchContext): number {
  const leaves = (index: number): boolean =>
    isBranch(relas.type(index)) && symbolSection(relas, index, symbols) !== target;
  let front = 0;
  let back = relas.count - 1;
  while (front < back) {
    const [first, last] = [order[front]!, order[back]!];
    if (leaves(first)) front++;
    else if (leaves(last)) {
      order[front] = last;
      order[back] = first;
    } else back--;
  }
  return front;
}
