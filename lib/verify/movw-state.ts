/**
 * Where the values of the registers may come from, at one point of the code: the lattice of the analysis in movw-group.ts.
 */
import type { Reference } from './reference.js';

/** Where a value was put before it was lost from sight: the number of a register, or memory. */
export type Place = number;
export const MEMORY: Place = 32;
/** Of so many origins that they are not told apart. */
export const ANYWHERE: Place = 33;

/** The part of an address that wrote the register last; `other`: what is no part of one; or the place in which it was when last out of sight. */
export type Origin = Reference | 'other' | Place;
/** One for each way that leads here. */
export type Origins = ReadonlySet<Origin>;

export const isPart = (origin: Origin): origin is Reference => typeof origin === 'object';
export const isPlace = (origin: Origin): origin is Place => typeof origin === 'number';

export const OTHER: Origins = new Set(['other'] as const);
export const FROM_MEMORY: Origins = new Set([MEMORY]);
/** Stays so whatever is added. */
const TOO_MANY: Origins = new Set([ANYWHERE]);

/** Compilers let two or three ways meet that begin the same address; the bound is for hostile code. */
const LIMIT = 16;

const REGISTERS = 32;

/** By number; 31 is none of the general registers, and may hold anything. */
export type RegisterState = readonly Origins[];

export const ALL_OTHER: RegisterState = Array<Origins>(REGISTERS).fill(OTHER);
/** Each holds what it held before, out of sight. */
export const ALL_UNSEEN: RegisterState = Array.from({ length: REGISTERS }, (_, register) => new Set([register]));

/** What may be the case if either may be; `a` itself if `b` adds nothing. */
export function join(a: RegisterState, b: RegisterState): RegisterState {
  if (a === b) return a;
  const joined = a.map((origins, register) => joinOrigins(origins, b[register]!));
  return joined.every((origins, register) => origins === a[register]) ? a : joined;
}

function joinOrigins(a: Origins, b: Origins): Origins {
  if (a === b || a === TOO_MANY) return a;
  if (b === TOO_MANY) return b;
  const added = [...b].filter((origin) => !a.has(origin));
  if (added.length === 0) return a;
  return a.size + added.length > LIMIT ? TOO_MANY : new Set([...a, ...added]);
}
