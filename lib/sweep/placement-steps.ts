/**
 * A count of PLT entries over all placements, as a step function: placements are put in order of distance, each as wide as its weight.
 *
 * Functions over the same placements can be added without knowing what the placements are, so that a total needs no more than
 * the modules' steps, whoever computed them.
 */

export interface PlacementSteps {
  /** Where each step begins, ascending from 0. */
  readonly starts: readonly number[];
  /** Entries from there to the next start, or to the total weight. */
  readonly counts: readonly number[];
}

/** Builds steps from left to right. */
export class StepBuilder {
  readonly starts: number[] = [];
  readonly counts: number[] = [];

  /** From `start` on the count is `count`; a step of no weight is overwritten, an equal one continued. */
  add(start: number, count: number): void {
    if (this.starts.at(-1) === start) {
      this.starts.pop();
      this.counts.pop();
    }
    if (this.counts.at(-1) === count) return;
    this.starts.push(start);
    this.counts.push(count);
  }
}

/** A sum of step functions, kept as the changes at each start. */
export class StepSum {
  readonly #changes = new Map<number, number>();

  add({ starts, counts }: PlacementSteps): void {
    starts.forEach((start, i) => {
      this.addChange(start, counts[i]! - (counts[i - 1] ?? 0));
    });
  }

  addChange(start: number, change: number): void {
    this.#changes.set(start, (this.#changes.get(start) ?? 0) + change);
  }

  /** Start and change in turn, ascending: what `addChange` takes elsewhere. */
  changes(): number[] {
    const starts = Float64Array.from(this.#changes.keys()).sort();
    return Array.from(starts).flatMap((start) => {
      const change = this.#changes.get(start)!;
      return change === 0 ? [] : [start, change];
    });
  }

  steps(): PlacementSteps {
    const builder = new StepBuilder();
    builder.add(0, 0);
    const changes = this.changes();
    let count = 0;
    for (let i = 0; i < changes.length; i += 2) {
      count += changes[i + 1]!;
      builder.add(changes[i]!, count);
    }
    return builder;
  }
}
