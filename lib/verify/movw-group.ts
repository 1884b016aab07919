/**
 * MOVZ/MOVK groups that build an absolute address 16 bits at a time (AAELF64 5.7.6, MOVW_UABS and MOVW_SABS).
 *
 * The four instructions need not stand together: compilers schedule them apart and across branches, and clang lets several groups share
 * their first parts by copying the register. So the registers are followed along all ways through the code, until nothing changes: each
 * MOVK must continue the address that it names, and each part be continued until the address is whole.
 */
import { destinationRegister } from '../a64/instruction.js';
import type { Section } from '../elf/file.js';
import { type Block, type FlowGraph, flowGraph } from './flow-graph.js';
import { isComputedJump, movedRegister, moveWideKind, transferredRegisters } from './instruction.js';
import { type Chain, isSameAddress, RegisterState, type Value } from './movw-state.js';
import { lastNotAfter } from './offset-search.js';
import type { Reference } from './reference.js';

/** A group that is not what it should be. */
export interface BrokenGroup {
  /** Where it shows. */
  readonly reference: Reference;
  readonly detail: string;
}

const SABS_G2 = 272;
const WHOLE = 0b1111;
/** Parts that a signed G2 sets: its sign extends over G3. */
const SIGNED_TOP = 0b1100;

/** Whether the reference is a part of such a group; absolute symbols need no group, as their size is known. */
export function isGroupPart({ row, target }: Reference): boolean {
  return row?.op === 'S+A' && (row.field === 'imm16' || row.field === 'movnz') && target !== 'absolute';
}

const partsOf = ({ row, type }: Reference): number => (type === SABS_G2 ? SIGNED_TOP : 1 << (row!.lsb / 16));

/**
 * The broken groups of a module.
 * @param functionsOf offsets at which functions begin in the section of that index
 * @throws ModuleError BAD_LAYOUT as `flowGraph`
 */
export function brokenGroups(
  references: readonly Reference[],
  functionsOf: (section: number) => Iterable<number>,
): BrokenGroup[] {
  const sections = new Map<Section, SectionGroups>();
  for (const reference of references.filter(isGroupPart)) {
    const groups = sections.get(reference.section) ?? new SectionGroups(reference.section);
    sections.set(reference.section, groups.add(reference));
  }
  for (const { section, offset } of references) sections.get(section)?.relocated.add(offset);
  return [...sections.values()].flatMap((groups) => groups.broken(functionsOf(groups.section.index)));
}

class SectionGroups {
  readonly section: Section;
  /** Offsets of all relocations: a branch that has one leads out of the section. */
  readonly relocated = new Set<number>();
  readonly #parts = new Map<number, Reference>();
  readonly #view: DataView;

  constructor(section: Section) {
    const { data } = section;
    this.section = section;
    this.#view = new DataView(data.buffer, data.byteOffset, data.length);
  }

  add(part: Reference): this {
    this.#parts.set(part.offset, part);
    return this;
  }

  broken(functions: Iterable<number>): BrokenGroup[] {
    const graph = flowGraph(this.section, functions, (offset) => this.relocated.has(offset));
    const states = this.#settle(graph);
    const report = new Report();
    graph.blocks.forEach((block, index) => {
      const state = states[index];
      if (state) this.#run(block, state.copy(), report);
    });
    return report.finish(this.#parts.values());
  }

  /** The state at the start of each block that can be reached. */
  #settle({ blocks, entries }: FlowGraph): (RegisterState | undefined)[] {
    const states: (RegisterState | undefined)[] = blocks.map(() => undefined);
    const flow = (from: number): void => {
      for (const pending = [from]; pending.length > 0; ) {
        const index = pending.pop()!;
        const after = this.#run(blocks[index]!, states[index]!.copy());
        for (const next of blocks[index]!.next) {
          const before = states[next];
          const met = before ? before.meet(after) : after;
          if (before?.equals(met)) continue;
          states[next] = met;
          pending.push(next);
        }
      }
    };
    for (const entry of entries) {
      states[entry] = new RegisterState('nothing');
      flow(entry);
    }
    // What only a jump table leads to, where anything may have been written before.
    for (const offset of this.#parts.keys()) {
      const block = lastNotAfter(blocks, offset);
      if (!block || offset >= block.end || states[block.index]) continue;
      states[block.index] = new RegisterState('any');
      flow(block.index);
    }
    return states;
  }

  #run({ offset: start, end }: Block, state: RegisterState, report?: Report): RegisterState {
    for (let offset = start; offset < end; offset += 4) {
      const word = this.#view.getUint32(offset, true);
      const part = this.#parts.get(offset);
      const source = movedRegister(word);
      const { loaded, stored } = transferredRegisters(word);
      if (part) state.set(destinationRegister(word), extend(state, part, word, report));
      else if (source !== undefined) state.set(destinationRegister(word), state.get(source));
      // A part may be kept on the stack for a while, or completed where a jump table leads.
      for (const register of stored) report?.leavesSight(state.get(register));
      for (const register of loaded) state.set(register, 'any');
      if (report && isComputedJump(word)) for (const chain of state.chains()) report.leavesSight(chain);
    }
    return state;
  }
}

/** What a register holds after the instruction of `part`. */
function extend(state: RegisterState, part: Reference, word: number, report?: Report): Chain {
  const kind = moveWideKind(word);
  const held = kind === 'keep' ? state.get(destinationRegister(word)) : 'nothing';
  const before = held === 'any' ? WHOLE : held === 'nothing' ? 0 : held.parts;
  const chain = { of: part, parts: before | partsOf(part), writers: new Set([part]) };
  if (typeof held !== 'string') report?.continues(held, part);
  else if (kind !== 'set' && held === 'nothing') report?.orphan(part);
  report?.wrote(part, chain.parts);
  return chain;
}

/** Collects what is wrong once the states have settled. */
class Report {
  readonly #broken: BrokenGroup[] = [];
  /** Parts after which nothing more is expected. */
  readonly #done = new Set<Reference>();

  wrote(part: Reference, parts: number): void {
    if (parts === WHOLE) this.#done.add(part);
  }

  leavesSight(value: Value): void {
    if (typeof value === 'string') return;
    for (const writer of value.writers) this.#done.add(writer);
  }

  continues(held: Chain, part: Reference): void {
    this.leavesSight(held);
    if (!isSameAddress(held.of, part)) {
      this.#broken.push({ reference: part, detail: ': it continues the address of another symbol or addend' });
    }
  }

  /** A MOVK on a register that holds no address, or an instruction that is no move at all. */
  orphan(part: Reference): void {
    this.#done.add(part);
    this.#broken.push({ reference: part, detail: ': there is no address that it continues' });
  }

  /** All that was found, and the parts after which an address is not continued although it lacks others. */
  finish(parts: Iterable<Reference>): BrokenGroup[] {
    for (const reference of parts) {
      if (!this.#done.has(reference)) this.#broken.push({ reference, detail: ': not all of G0 to G3 follow' });
    }
    return this.#broken;
  }
}
