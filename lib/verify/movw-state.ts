/**
 * What the registers hold of addresses that are built by MOVW groups, at one point of the code: the lattice of the analysis in
 * movw-group.ts.
 */
import type { Reference } from './reference.js';

/** Part of an address. */
export interface Chain {
  /** The address that its first part names. */
  readonly of: Reference;
  /** Bit n: Gn is there, on every way that leads here. */
  readonly parts: number;
  /** The instructions that wrote it last, one for each way. */
  readonly writers: ReadonlySet<Reference>;
}

/**
 * `nothing`: no part of an address. `any`: what a load or a computed jump brought, which may be a part; nothing is said of it.
 */
export type Value = Chain | 'nothing' | 'any';

export const isSameAddress = (a: Reference, b: Reference): boolean => a.symbol === b.symbol && a.addend === b.addend;

export class RegisterState {
  /** The value of registers not listed. */
  readonly rest: 'nothing' | 'any';
  readonly #values: Map<number, Value>;

  constructor(rest: 'nothing' | 'any', values: Iterable<readonly [number, Value]> = []) {
    this.rest = rest;
    this.#values = new Map(values);
  }

  copy(): RegisterState {
    return new RegisterState(this.rest, this.#values);
  }

  get(register: number): Value {
    return this.#values.get(register) ?? this.rest;
  }

  set(register: number, value: Value): void {
    if (value === this.rest) this.#values.delete(register);
    else this.#values.set(register, value);
  }

  /** The parts of addresses that are held. */
  chains(): Chain[] {
    return [...this.#values.values()].filter((value): value is Chain => typeof value !== 'string');
  }

  /** What can be said whichever of the two ways was taken. */
  meet(other: RegisterState): RegisterState {
    const registers = new Set([...this.#values.keys(), ...other.#values.keys()]);
    const state = new RegisterState(this.rest === 'any' ? 'any' : other.rest);
    for (const register of registers) state.set(register, meet(this.get(register), other.get(register)));
    return state;
  }

  equals(other: RegisterState): boolean {
    if (this.rest !== other.rest || this.#values.size !== other.#values.size) return false;
    return [...this.#values].every(([register, value]) => isEqual(value, other.get(register)));
  }
}

function meet(a: Value, b: Value): Value {
  if (a === 'any' || b === 'any') return 'any';
  if (a === 'nothing' || b === 'nothing' || !isSameAddress(a.of, b.of)) return 'nothing';
  return { of: a.of, parts: a.parts & b.parts, writers: new Set([...a.writers, ...b.writers]) };
}

/** Of two settling states of one point, so that the writers of one contain those of the other. */
function isEqual(a: Value, b: Value): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return isSameAddress(a.of, b.of) && a.parts === b.parts && a.writers.size === b.writers.size;
}
