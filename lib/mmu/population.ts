/**
 * Filling tables that may hold entries already, at any level.
 *
 * An early mapping shares its upper tables with whatever was there before (a fixmap, another segment), so every
 * table on the way is reused; an entry that is live is never changed: writing the same word again is accepted,
 * anything else is a conflict, found before the first word is written.
 *
 * @see Linux 6.1 arch/arm64/mm/mmu.c, alloc_init_pud() .. init_pte(), which BUG() on the same conflicts
 */
import { formatU64, formatVa, type Va, va } from '../address.js';
import { alignDown } from '../bits.js';
import { MappingError } from '../errors.js';
import {
  DESCRIPTOR,
  isLive,
  isTable,
  leafDescriptor,
  nextTable,
  outputAddress,
  tableDescriptor,
} from './descriptor.js';
import type { LeafRun } from './leaf-run.js';
import type { TableSet } from './table-set.js';
import { contiguousEntries, levelSize, tableIndex } from './translation-regime.js';

/** Descriptor bits besides address and type: of leaves, and the hierarchical ones of tables made on the way. */
export interface EntryAttributes {
  readonly leaf: bigint;
  readonly table: bigint;
}

/** One word as it is written: into the table at `table`, which is of `level`. */
export interface TableWrite {
  readonly table: number;
  readonly level: number;
  readonly index: number;
  readonly word: bigint;
}

/** Hears of every table allocated and every word written, in order. */
export interface PopulationObserver {
  allocate(table: number): void;
  write(entry: TableWrite): void;
}

interface Slot {
  readonly table: number;
  readonly level: number;
  readonly index: number;
  readonly address: number;
  readonly word: bigint;
}

/** The entry for `address` in the deepest table on its path, going no deeper than `level`. */
function slotFor(tables: TableSet, address: Va, level: number): Slot {
  const { regime } = tables;
  let table = tables.root;
  for (let at = regime.startLevel; ; at++) {
    const index = tableIndex(regime, at, address);
    const slot: Slot = { table, level: at, index, address: table + 8 * index, word: tables.read(table + 8 * index) };
    if (at === level || !isTable(at, slot.word)) return slot;
    table = nextTable(regime, slot.word);
  }
}

/**
 * Writes runs into the tables, allocating the tables they lack.
 * @param runs from `planLeaves` for the tables' own regime
 * @param observer hears of each step
 * @throws MappingError CONFLICT at a live entry that differs, with va, level, old and new descriptor, before any
 *   word of that run is written; TOO_LARGE at the tables' capacity
 */
export function populate(
  tables: TableSet,
  runs: readonly LeafRun[],
  attributes: EntryAttributes,
  observer?: PopulationObserver,
): void {
  for (const run of runs) {
    checkRun(tables, run, attributes);
    for (let i = 0; i < run.count; i++) {
      const slot = reach(tables, entryAddress(run, i), run.level, attributes.table, observer);
      put(tables, slot, entryWord(tables, run, i, attributes), observer);
    }
  }
}

function checkRun(tables: TableSet, run: LeafRun, attributes: EntryAttributes): void {
  if (run.count > tables.capacity * 2 ** tables.regime.indexBits) {
    throw new MappingError('TOO_LARGE', `${run.count} entries do not fit in ${tables.capacity} table pages`, {
      count: run.count,
      capacity: tables.capacity,
    });
  }
  for (let i = 0; i < run.count; i++) {
    const address = entryAddress(run, i);
    const found = slotFor(tables, address, run.level);
    if (!isLive(found.word)) continue;
    const word = entryWord(tables, run, i, attributes);
    if (found.level === run.level && found.word === word) continue;
    throw new MappingError(
      'CONFLICT',
      `${formatVa(address)} is mapped at level ${found.level} by ${formatU64(found.word)}, not by ${formatU64(word)}`,
      { va: formatVa(address), level: found.level, old: formatU64(found.word), new: formatU64(word) },
    );
  }
}

const entryAddress = (run: LeafRun, i: number): Va => va(run.va + i * run.entrySize);

function entryWord(tables: TableSet, run: LeafRun, i: number, attributes: EntryAttributes): bigint {
  const { level, contiguous } = run;
  return leafDescriptor(tables.regime, {
    level,
    contiguous,
    pa: run.pa + i * run.entrySize,
    attributes: attributes.leaf,
  });
}

/** The slot at `level` for `address`; tables on the way are made where the path ends. */
function reach(
  tables: TableSet,
  address: Va,
  level: number,
  tableAttributes: bigint,
  observer: PopulationObserver | undefined,
): Slot {
  let slot = slotFor(tables, address, level);
  while (slot.level < level) {
    const table = tables.allocate();
    observer?.allocate(table);
    put(tables, slot, tableDescriptor(tables.regime, table, tableAttributes), observer);
    slot = slotFor(tables, address, level);
  }
  return slot;
}

function put(tables: TableSet, slot: Slot, word: bigint, observer: PopulationObserver | undefined): void {
  tables.write(slot.address, word);
  observer?.write({ table: slot.table, level: slot.level, index: slot.index, word });
}

/**
 * Gives every leaf in a range other attributes, or none: mark_rodata_ro() and vunmap_range() on tables in place.
 * Address and size of each leaf stay; where leaves are cleared, their tables stay, empty.
 * @param attributes of the leaves from now on; undefined clears them
 * @throws MappingError CONFLICT if a leaf, or a contiguous group it is part of, reaches out of the range, or is
 *   contiguous and not to be cleared: a live group may not change entry by entry
 */
export function changeLeaves(tables: TableSet, range: { start: Va; end: Va }, attributes: bigint | undefined): void {
  const { regime } = tables;
  for (let address: number = range.start; address < range.end; ) {
    const { level, word, address: place } = slotFor(tables, va(address), 3);
    const size = levelSize(regime, level);
    const first = alignDown(address, size);
    address = first + size;
    if (!isLive(word)) continue;
    const contiguous = (word & DESCRIPTOR.CONT) !== 0n;
    const group = contiguous ? size * contiguousEntries(regime, level) : size;
    const start = alignDown(first, group);
    if (start < range.start || start + group > range.end || (contiguous && attributes !== undefined)) {
      throw new MappingError('CONFLICT', `the entry at ${formatVa(va(first))} cannot change in part or in a group`, {
        va: formatVa(va(first)),
        level,
        old: formatU64(word),
      });
    }
    const pa = outputAddress(regime, level, word);
    tables.write(place, attributes === undefined ? 0n : leafDescriptor(regime, { level, pa, contiguous, attributes }));
  }
}
