/**
 * MOVZ/MOVK groups that build an absolute address 16 bits at a time (AAELF64 5.7.6, MOVW_UABS and MOVW_SABS).
 *
 * The four instructions need not stand together: compilers schedule them apart and across branches, keep what they have begun on the stack, and let
 * several groups share their first parts by copying the register. So it is followed where the registers' values may come from
 * (register-flow.ts), and asked: does each MOVK continue the address that it names, on every way that leads there? Is each part
 * continued until the address is whole, and not used before? A part that is lost from sight and one that continues what is not
 * seen make up a group if both name the same address in the same function, the bits of the one are those that the other lacks, and the
 * value can have come from the one to the other (lost-value.ts).
 */
import type { Section } from '../elf/file.js';
import type { Extent } from './function-index.js';
import { moveWide } from './instruction.js';
import { ANYWHERE, isPart, isPlace, type Origin, type Place } from './movw-state.js';
import { lastNotAfter } from './offset-search.js';
import type { Reference } from './reference.js';
import { type ObservedFlow, observeFlow } from './register-flow.js';

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

/** Bit n: Gn. */
const bitsOf = ({ row, type }: Reference): number => (type === SABS_G2 ? SIGNED_TOP : 1 << (row!.lsb / 16));
/** The parts that come before, in the order in which compilers write them. */
const bitsBelow = ({ row }: Reference): number => (1 << (row!.lsb / 16)) - 1;

const isSameAddress = (a: Reference, b: Reference): boolean => a.symbol === b.symbol && a.addend === b.addend;

/**
 * The broken groups of a module.
 * @param functionsOf the functions of the section of that index, in ascending order
 * @throws ModuleError BAD_LAYOUT as `flowGraph`
 */
export function brokenGroups(
  references: readonly Reference[],
  functionsOf: (section: number) => readonly Extent[],
): BrokenGroup[] {
  const sections = new Map<Section, Map<number, Reference>>();
  for (const reference of references.filter(isGroupPart)) {
    const parts = sections.get(reference.section) ?? new Map<number, Reference>();
    sections.set(reference.section, parts.set(reference.offset, reference));
  }
  const relocated = new Map([...sections.keys()].map((section) => [section, new Set<number>()]));
  for (const { section, offset } of references) relocated.get(section)?.add(offset);
  return [...sections].flatMap(([section, parts]) => {
    const functions = functionsOf(section.index);
    const code = { section, parts, functions, relocated: relocated.get(section)! };
    return new Groups(observeFlow(code), functions).broken();
  });
}

class Groups {
  readonly #flow: ObservedFlow;
  readonly #functions: readonly Extent[];
  /** What is there of an address after each part, whichever way led to it. */
  readonly #built = new Map<Reference, number>();

  constructor(flow: ObservedFlow, functions: readonly Extent[]) {
    this.#flow = flow;
    this.#functions = functions;
    const followers = new Map<Origin, Reference[]>();
    for (const [part, continues] of flow.parts) {
      this.#built.set(part, WHOLE);
      for (const origin of continues) {
        const known = followers.get(origin);
        if (known) known.push(part);
        else followers.set(origin, [part]);
      }
    }
    // Down to the greatest solution, as a group may lie in a loop.
    for (const pending = [...flow.parts.keys()].reverse(); pending.length > 0; ) {
      const part = pending.pop()!;
      const bits = bitsOf(part) | this.#before(part);
      if (bits === this.#built.get(part)) continue;
      this.#built.set(part, bits);
      for (const follower of followers.get(part) ?? []) pending.push(follower);
    }
  }

  broken(): BrokenGroup[] {
    const continued = new Set<Origin>([...this.#flow.parts.values()].flatMap((continues) => [...continues]));
    const begun = new Rendezvous(this.#functions);
    const awaited = new Rendezvous(this.#functions);
    for (const [part, continues] of this.#flow.parts) {
      begun.add(part, this.#built.get(part)!, this.#flow.placesOf(part));
      awaited.add(part, bitsBelow(part), [...continues].filter(isPlace));
    }
    return [...this.#flow.parts.keys()].flatMap((reference) => {
      const bits = this.#built.get(reference)!;
      const isFollowed = () =>
        continued.has(reference) || awaited.isMet(reference, bits, this.#flow.placesOf(reference));
      const detail =
        this.#wrongStart(reference, begun) ??
        (bits !== WHOLE && this.#flow.used.has(reference)
          ? ': it is used before all of G0 to G3 are there'
          : undefined) ??
        (bits !== WHOLE && !isFollowed() ? ': not all of G0 to G3 follow' : undefined);
      return detail === undefined ? [] : [{ reference, detail }];
    });
  }

  /** What is there before the part writes its own bits. */
  #before(part: Reference): number {
    const continues = [...this.#flow.parts.get(part)!];
    const known = continues.filter(isPart);
    if (known.length === 0) return continues.some(isPlace) ? bitsBelow(part) : 0;
    return known.reduce((bits, one) => bits & (isSameAddress(one, part) ? this.#built.get(one)! : 0), WHOLE);
  }

  #wrongStart(part: Reference, begun: Rendezvous): string | undefined {
    const move = moveWide(this.#flow.wordAt(part.offset));
    const isSigned = part.row!.field === 'movnz';
    if (move?.lsb !== part.row!.lsb || (move.isInverted && !isSigned))
      return ': the instruction does not move these bits';
    const continues = [...this.#flow.parts.get(part)!];
    if (continues.some((origin) => isPart(origin) && !isSameAddress(origin, part))) {
      return ': it continues the address of another symbol or addend';
    }
    const places = continues.filter(isPlace);
    const isUnseen = places.length === continues.length && places.length > 0;
    const isOrphan = continues.includes('other') || (isUnseen && !begun.isMet(part, bitsBelow(part), places));
    return isOrphan ? ': there is no address that it continues' : undefined;
  }
}

/** Parts that are lost from sight, or those that may continue one: of what address, with what bits, and in which places. */
class Rendezvous {
  readonly #functions: readonly Extent[];
  readonly #places = new Map<string, Set<Place>>();

  constructor(functions: readonly Extent[]) {
    this.#functions = functions;
  }

  add(part: Reference, bits: number, places: Iterable<Place>): void {
    const key = this.#key(part, bits);
    const known = this.#places.get(key) ?? new Set();
    for (const place of places) known.add(place);
    this.#places.set(key, known);
  }

  isMet(part: Reference, bits: number, places: Iterable<Place>): boolean {
    const known = this.#places.get(this.#key(part, bits)) ?? new Set();
    return [...places].some(
      (place) => known.has(place) || known.has(ANYWHERE) || (place === ANYWHERE && known.size > 0),
    );
  }

  #key({ offset, symbol, addend }: Reference, bits: number): string {
    return `${lastNotAfter(this.#functions, offset)?.offset} ${symbol} ${addend} ${bits}`;
  }
}
