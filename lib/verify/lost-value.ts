/**
 * Where values of registers may be once they are out of sight: in the register that held them when code began that is not followed, or in
 * memory. There they may be moved on, by code that sees only where they come from; such moves count within their function.
 */
import type { Extent } from './function-index.js';
import { isPart, isPlace, type Origins, type Place } from './movw-state.js';
import { lastNotAfter } from './offset-search.js';
import type { Reference } from './reference.js';

export class LostValues {
  readonly #functions: readonly Extent[];
  readonly #parts = new Map<Reference, Set<Place>>();
  /** By function: the places to which what comes from a place was moved. */
  readonly #moves = new Map<number | undefined, Map<Place, Set<Place>>>();

  constructor(functions: readonly Extent[]) {
    this.#functions = functions;
  }

  /** At `offset` of the code a value that comes from one of `origins` goes out of sight in `place`. */
  add(offset: number, origins: Origins, place: Place): void {
    for (const origin of origins) {
      if (isPart(origin)) addTo(this.#parts, origin, place);
      else if (isPlace(origin) && origin !== place) addTo(this.#movesAt(offset), origin, place);
    }
  }

  placesOf(part: Reference): ReadonlySet<Place> {
    const moves = this.#movesAt(part.offset);
    const reached = new Set(this.#parts.get(part));
    // A set is iterated over what is added meanwhile, too.
    for (const place of reached) for (const next of moves.get(place) ?? []) reached.add(next);
    return reached;
  }

  #movesAt(offset: number): Map<Place, Set<Place>> {
    const start = lastNotAfter(this.#functions, offset)?.offset;
    const moves = this.#moves.get(start) ?? new Map<Place, Set<Place>>();
    this.#moves.set(start, moves);
    return moves;
  }
}

function addTo<Key>(map: Map<Key, Set<Place>>, key: Key, place: Place): void {
  const places = map.get(key);
  if (places) places.add(place);
  else map.set(key, new Set([place]));
}
