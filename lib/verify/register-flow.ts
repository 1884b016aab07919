/**
 * Follows the parts of MOVW groups through the registers of a section's code, along all ways, until nothing changes.
 *
 * Some ways are not seen: through jump tables, instructions that the kernel patches (alternatives, static keys) and exception tables. Blocks
 * that only they lead to begin with all registers unknown. Calls and traps may not return, and what stands behind them may be where
 * such a way leads: after them, too, nothing is known.
 */
import { destinationRegister } from '../a64/instruction.js';
import type { Section } from '../elf/file.js';
import { ModuleError } from '../errors.js';
import { type Block, type FlowGraph, flowGraph } from './flow-graph.js';
import type { Extent } from './function-index.js';
import { movedRegister, moveWide } from './instruction.js';
import { LostValues } from './lost-value.js';
import {
  ALL_OTHER,
  ALL_UNSEEN,
  FROM_MEMORY,
  join,
  MEMORY,
  type Origin,
  type Origins,
  OTHER,
  type Place,
  type RegisterState,
} from './movw-state.js';
import { lastNotAfter } from './offset-search.js';
import type { Reference } from './reference.js';
import { isDataProcessing, isInterruption, registerUse } from './register-use.js';

export interface CodeOfGroups {
  readonly section: Section;
  /** Parts of MOVW groups, by offset. */
  readonly parts: ReadonlyMap<number, Reference>;
  readonly functions: readonly Extent[];
  /** Offsets of all relocations: a branch that has one leads out of the section. */
  readonly relocated: ReadonlySet<number>;
}

export interface ObservedFlow {
  /** Each part, and what it continues: nothing for one that replaces the register. */
  readonly parts: ReadonlyMap<Reference, Origins>;
  /** Parts whose register is read, or changed otherwise than by another part, while it holds them. */
  readonly used: ReadonlySet<Origin>;
  /** Where a part may be once it has been held where a way may begin that is not seen, or been stored. */
  placesOf(part: Reference): ReadonlySet<Place>;
  wordAt(offset: number): number;
}

/** @throws ModuleError BAD_LAYOUT as `flowGraph` */
export function observeFlow(code: CodeOfGroups): ObservedFlow {
  const graph = flowGraph(code.section, code.functions, (offset) => code.relocated.has(offset));
  const flow = new Flow(code);
  const states = flow.settle(graph);
  const observation: Observation = { parts: new Map(), used: new Set(), lost: new LostValues(code.functions) };
  graph.blocks.forEach((block, index) => {
    const state = states[index];
    if (state) flow.run(block, state, observation);
  });
  const { parts, used, lost } = observation;
  return { parts, used, placesOf: (part) => lost.placesOf(part), wordAt: (offset) => flow.wordAt(offset) };
}

interface Observation {
  readonly parts: Map<Reference, Origins>;
  readonly used: Set<Origin>;
  readonly lost: LostValues;
}

const NONE: Origins = new Set();

/** How often a word may be looked at, on average: compilers' code takes 3. Hostile code can make it 500. */
const EFFORT = 16;
/** In words: what is smaller may need more. */
const LEAST_CODE = 4096;

class Flow {
  readonly #parts: ReadonlyMap<number, Reference>;
  /** One set for each part, so that equal states are the same. */
  readonly #alone: ReadonlyMap<Reference, Origins>;
  readonly #view: DataView;
  readonly #name: string;

  constructor({ section: { name, data }, parts }: CodeOfGroups) {
    this.#name = name;
    this.#view = new DataView(data.buffer, data.byteOffset, data.length);
    this.#parts = parts;
    this.#alone = new Map([...parts.values()].map((part) => [part, new Set([part])]));
  }

  wordAt(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** The state at the start of each block that can be reached. */
  settle({ blocks, entries }: FlowGraph): (RegisterState | undefined)[] {
    const states: (RegisterState | undefined)[] = blocks.map(() => undefined);
    let effort = Math.max(this.#view.byteLength / 4, LEAST_CODE) * EFFORT;
    const begin = (starts: readonly number[], state: RegisterState): void => {
      for (const start of starts) states[start] = join(states[start] ?? state, state);
      for (const pending = [...starts]; pending.length > 0; ) {
        const index = pending.pop()!;
        effort -= (blocks[index]!.end - blocks[index]!.offset) / 4;
        if (effort < 0) throw new ModuleError('BAD_LAYOUT', `${this.#name}: its branches cannot be followed to an end`);
        const after = this.run(blocks[index]!, states[index]!);
        for (const next of blocks[index]!.next) {
          const before = states[next];
          const joined = before ? join(before, after) : after;
          if (joined === before) continue;
          states[next] = joined;
          pending.push(next);
        }
      }
    };
    begin(entries, ALL_OTHER);
    for (const offset of this.#parts.keys()) {
      const block = lastNotAfter(blocks, offset);
      if (block && offset < block.end && !states[block.index]) begin([block.index], ALL_UNSEEN);
    }
    return states;
  }

  /** The state at the end of the block. */
  run({ offset: start, end }: Block, before: RegisterState, observation?: Observation): RegisterState {
    let state = before;
    let seen: RegisterState | undefined;
    const set = (register: number, origins: Origins): void => {
      if (state[register] !== origins) state = state.with(register, origins);
    };
    for (let offset = start; offset < end; offset += 4) {
      const word = this.wordAt(offset);
      const part = this.#parts.get(offset);
      const source = movedRegister(word);
      if (part) {
        const move = moveWide(word);
        const register = destinationRegister(word);
        observation?.parts.set(part, move?.kind === 'keep' ? state[register]! : NONE);
        if (move) set(register, this.#alone.get(part)!);
      } else if (source !== undefined) {
        set(destinationRegister(word), state[source]!);
      } else {
        const { reads, stores, writes, fetches } = registerUse(word);
        if (observation) {
          for (const register of reads) for (const origin of state[register]!) observation.used.add(origin);
          for (const register of stores) observation.lost.add(offset, state[register]!, MEMORY);
          if (state !== seen && !isDataProcessing(word)) {
            for (const [register, origins] of state.entries()) observation.lost.add(offset, origins, register);
            seen = state;
          }
        }
        for (const register of writes) set(register, OTHER);
        for (const register of fetches) set(register, FROM_MEMORY);
        if (isInterruption(word)) state = ALL_UNSEEN;
      }
    }
    return state;
  }
}
