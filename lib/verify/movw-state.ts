/**
 * Where the values of the registers may come from, at one point of the code: the lattice of the analysis in movw-group.ts.
 */
import type { Reference } from './reference.js';

/**
 * The part of an address that wrote the register last; `other`: what is no part of one; `unknown`: what a load, a call or a way that is not seen
 * left there.
 */
export type Origin = Reference | 'other' | 'unknown';
/** One for each way that leads here. */
export type Origins = ReadonlySet<Origin>;

export const OTHER: Origins = new Set(['other'] as const);
export const UNKNOWN: Origins = new Set(['unknown'] as const);
const EITHER: Origins = new Set(['other', 'unknown'] as const);
/** Unknown, and stays so whatever is added. */
const TOO_MANY: Origins = new Set(['unknown'] as const);

/** Compilers let two or three ways meet that begin the same address; the bound is for hostile code. */
const LIMIT = 16;

/** By number; 31 is none of the general registers, and may hold anything. */
export type RegisterState = readonly Origins[];

export const stateOf = (origins: Origins): RegisterState => Array<Origins>(32).fill(origins);

export const ALL_OTHER = stateOf(OTHER);
export const ALL_UNKNOWN = stateOf(UNKNOWN);

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
  if (a.size + added.length > LIMIT) return TOO_MANY;
  const joined = new Set([...a, ...added]);
  return joined.size === 2 && joined.has('other') && joined.has('unknown') ? EITHER : joined;
}
