/** What one check of one boot found: how much was compared, and where the kernel and kaslrkit disagree. */

export type Unit = 'address' | 'word' | 'leaf' | 'section';

export interface Check {
  readonly name: string;
  readonly unit: Unit;
  readonly compared: number;
  /** Modules that the sections are of. */
  readonly modules: number;
  /** One line each; the first ones, the rest only counted. */
  readonly mismatches: readonly string[];
  readonly mismatchCount: number;
  /** What differs for a known reason, by reason. */
  readonly explained: ReadonlyMap<string, number>;
}

/** More lines than these help nobody. */
const MOST_LINES = 20;

/** Collects the mismatches of a check. */
export class CheckBuilder {
  readonly #name: string;
  readonly #unit: Unit;
  readonly #mismatches: string[] = [];
  readonly #explained = new Map<string, number>();
  #count = 0;
  compared = 0;
  modules = 0;

  constructor(name: string, unit: Unit) {
    this.#name = name;
    this.#unit = unit;
  }

  /** @param describe called only for the lines that are kept */
  mismatch(describe: () => string): void {
    if (this.#count++ < MOST_LINES) this.#mismatches.push(describe());
  }

  explain(reason: string): void {
    this.#explained.set(reason, (this.#explained.get(reason) ?? 0) + 1);
  }

  finish(): Check {
    return {
      name: this.#name,
      unit: this.#unit,
      compared: this.compared,
      modules: this.modules,
      mismatches: this.#mismatches,
      mismatchCount: this.#count,
      explained: this.#explained,
    };
  }
}

export const passed = (check: Check): boolean => check.mismatchCount === 0 && check.compared > 0;
