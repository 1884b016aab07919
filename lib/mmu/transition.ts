/**
 * What changes between two sets of tables, and which of it a live TLB would not survive.
 *
 * Replacing a live entry needs break-before-make (write zero, invalidate, write) when its output address, its size,
 * its memory type or its contiguous group changes, or when it turns global. Otherwise the TLB may hold the old entry
 * and the new one at once: a TLB conflict where both translate the same address differently in size or output.
 * That is why the kernel builds its final tables beside the live ones and switches through an empty table.
 *
 * @see Arm ARM D8.17.1 (break-before-make); Linux 6.1 arch/arm64/mm/mmu.c, pgattr_change_is_safe()
 */
import { type Va, va } from '../address.js';
import { type Leaf, type TranslationTables, walkLeaves } from './walker.js';

/** `attributes`: permissions, BTI, access and software bits, or no longer global. */
export type ChangeKind =
  | 'created'
  | 'removed'
  | 'attributes'
  | 'global'
  | 'memory-type'
  | 'contiguous'
  | 'size'
  | 'output-address';

interface Consequence {
  readonly breakBeforeMake: boolean;
  readonly tlbConflict: boolean;
}

const SAFE: Consequence = { breakBeforeMake: false, tlbConflict: false };
const BREAK: Consequence = { breakBeforeMake: true, tlbConflict: false };
const CONFLICT: Consequence = { breakBeforeMake: true, tlbConflict: true };

const CONSEQUENCES: Readonly<Record<ChangeKind, Consequence>> = {
  created: SAFE,
  removed: SAFE,
  attributes: SAFE,
  global: BREAK,
  'memory-type': BREAK,
  contiguous: CONFLICT,
  size: CONFLICT,
  'output-address': CONFLICT,
};

/** A range that changes in one way; `before` and `after` are its first leaves. */
export interface MappingChange extends Consequence {
  readonly kind: ChangeKind;
  readonly start: Va;
  readonly end: Va;
  readonly before?: Leaf;
  readonly after?: Leaf;
}

export interface Transition {
  /** In rising order; neighbours of one kind are one change. */
  readonly changes: readonly MappingChange[];
  /** Bytes by kind of change. */
  readonly bytes: ReadonlyMap<ChangeKind, number>;
  /** Can the live tables be edited, or TTBR1_EL1 be pointed at the new ones, with nothing invalid in between? */
  readonly direct: boolean;
  /** Changes that need the old entry gone, from the tables and the TLB, before the new one is seen. */
  readonly breakBeforeMake: readonly MappingChange[];
  /** Those of them that could raise a TLB conflict abort. */
  readonly tlbConflicts: readonly MappingChange[];
}

/** Compares what two sets of tables map in a range. */
export function transition(
  before: TranslationTables,
  after: TranslationTables,
  range: { start: Va; end: Va },
): Transition {
  const changes = merge(compare([...walkLeaves(before, range)], [...walkLeaves(after, range)]));
  const bytes = new Map<ChangeKind, number>();
  for (const { kind, start, end } of changes) bytes.set(kind, (bytes.get(kind) ?? 0) + end - start);
  const breakBeforeMake = changes.filter((change) => change.breakBeforeMake);
  const tlbConflicts = changes.filter((change) => change.tlbConflict);
  return { changes, bytes, direct: breakBeforeMake.length === 0, breakBeforeMake, tlbConflicts };
}

const endOf = (leaf: Leaf): number => leaf.va + leaf.size;

function* compare(before: readonly Leaf[], after: readonly Leaf[]): Generator<MappingChange> {
  let i = 0;
  let j = 0;
  for (let old = before[i], now = after[j]; old !== undefined || now !== undefined; old = before[i], now = after[j]) {
    if (old === undefined || (now !== undefined && endOf(now) <= old.va)) {
      yield change('created', { after: now! });
      j++;
    } else if (now === undefined || endOf(old) <= now.va) {
      yield change('removed', { before: old });
      i++;
    } else if (old.size !== now.size) {
      yield change('size', { before: old, after: now });
      // Sizes are powers of two, so the smaller leaves lie inside the larger one: all of them are this change.
      const end = Math.max(endOf(old), endOf(now));
      while (i < before.length && before[i]!.va < end) i++;
      while (j < after.length && after[j]!.va < end) j++;
    } else {
      const kind = difference(old, now);
      if (kind !== undefined) yield change(kind, { before: old, after: now });
      i++;
      j++;
    }
  }
}

function change(kind: ChangeKind, leaves: { before?: Leaf; after?: Leaf }): MappingChange {
  const both = [leaves.before, leaves.after].filter((leaf) => leaf !== undefined);
  const start = va(Math.min(...both.map((leaf) => leaf.va)));
  const end = va(Math.max(...both.map(endOf)));
  return { kind, start, end, ...leaves, ...CONSEQUENCES[kind] };
}

/** The gravest difference between two leaves of the same place and size. */
function difference(old: Leaf, now: Leaf): ChangeKind | undefined {
  if (old.pa !== now.pa) return 'output-address';
  const [was, is] = [old.attributes, now.attributes];
  const sameWord =
    old.descriptor === now.descriptor && was.writable === is.writable && was.executable === is.executable;
  if (sameWord) return was.userExecutable === is.userExecutable ? undefined : 'attributes';
  // A contiguous group is one TLB entry: none of its parts can change alone, nor can the group form around live entries.
  if (old.contiguous || now.contiguous) return 'contiguous';
  if (was.memoryType !== is.memoryType || was.shareability !== is.shareability) return 'memory-type';
  return was.nonGlobal && !is.nonGlobal ? 'global' : 'attributes';
}

function merge(changes: Iterable<MappingChange>): MappingChange[] {
  const merged: MappingChange[] = [];
  for (const next of changes) {
    const last = merged.at(-1);
    if (last !== undefined && last.kind === next.kind && last.end === next.start) {
      merged[merged.length - 1] = { ...last, end: next.end };
    } else {
      merged.push(next);
    }
  }
  return merged;
}
