/**
 * The basic blocks of a section: runs of instructions that are entered at the first and left at the last one.
 */
import type { Section } from '../elf/file.js';
import { ModuleError } from '../errors.js';
import type { Extent } from './function-index.js';
import { departureOf } from './instruction.js';

export interface Block {
  /** Its place in `FlowGraph.blocks`. */
  readonly index: number;
  /** In bytes of the section, up to `end`. */
  readonly offset: number;
  readonly end: number;
  /** Indices of the blocks that may follow; a branch to a register or out of the section adds none. */
  readonly next: readonly number[];
}

export interface FlowGraph {
  /** Ascending and without gaps. */
  readonly blocks: readonly Block[];
  /** Indices of the blocks where functions begin. */
  readonly entries: readonly number[];
}

/** Three times the largest module's code; a bound for what a hostile one makes us keep. */
const CODE_LIMIT = 2 ** 24;

/**
 * @param functions no code falls out of one that has a size; what stands between may be data, such as the type hashes of KCFI
 * @param leaves whether a branch at this offset is relocated, and so leads elsewhere than its immediate says
 * @throws ModuleError BAD_LAYOUT for 16 MiB of code or more
 */
export function flowGraph(
  section: Section,
  functions: readonly Extent[],
  leaves: (offset: number) => boolean,
): FlowGraph {
  const { data } = section;
  if (data.length >= CODE_LIMIT) {
    throw new ModuleError('BAD_LAYOUT', `${section.name}: ${data.length} bytes of code are too many to follow`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const count = Math.floor(data.length / 4);
  const isLeader = new Uint8Array(count + 1);
  const isInside = (offset: number): boolean => offset >= 0 && offset % 4 === 0 && offset / 4 < count;
  const entries = [0, ...functions.map(({ offset }) => offset)].filter(isInside);
  const ends = new Set(functions.map(({ end }) => end).filter(isInside));
  for (const offset of [...entries, ...ends]) isLeader[offset / 4] = 1;

  const exits = new Map<number, { readonly falls: boolean; readonly target: number | undefined }>();
  for (let i = 0; i < count; i++) {
    const departure = departureOf(view.getUint32(4 * i, true));
    if (!departure) continue;
    isLeader[i + 1] = 1;
    const to = departure.distance === undefined || leaves(4 * i) ? -1 : i + departure.distance / 4;
    const target = to >= 0 && to < count ? to : undefined;
    if (target !== undefined) isLeader[target] = 1;
    exits.set(i, { falls: departure.falls, target });
  }

  const starts: number[] = [];
  const blockAt = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) {
    if (isLeader[i] || i === 0) starts.push(i);
    blockAt[i] = starts.length - 1;
  }
  const blocks = starts.map((start, index) => {
    const end = starts[index + 1] ?? count;
    const { falls, target } = exits.get(end - 1) ?? { falls: true, target: undefined };
    const next = target === undefined ? [] : [blockAt[target]!];
    if (falls && end < count && !ends.has(4 * end)) next.push(index + 1);
    return { index, offset: 4 * start, end: 4 * end, next };
  });
  return { blocks, entries: [...new Set(entries.map((offset) => blockAt[offset / 4]!))] };
}
