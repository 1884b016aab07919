/**
 * The harness against itself: two boots of a kernel with faults put in on purpose, each of which must be found and
 * nothing else.
 */
import { type BootRequest, boot } from './boot.js';
import { flippedBits, WRONG_POLICY } from './tamper.js';

export interface Verdict {
  readonly fault: string;
  readonly found: boolean;
  /** What the check said instead, or its one mismatch. */
  readonly detail: string;
}

/** Which check must find which fault. */
const FLIPPED_BITS: Readonly<Record<string, string>> = {
  image: 'a bit of the image',
  'page tables, early': 'a bit of a leaf of the early page tables',
  'page tables, final': 'a bit of a leaf of the final page tables',
  modules: 'a bit of a module',
};

export async function selfTest(request: Omit<BootRequest, 'tamper'>): Promise<Verdict[]> {
  const bits = await boot({ ...request, tamper: flippedBits() });
  const policy = await boot({ ...request, modules: [], tamper: WRONG_POLICY });
  const verdicts = bits.checks.map(({ name, mismatchCount, mismatches }): Verdict => {
    const fault = FLIPPED_BITS[name];
    const expected = fault === undefined ? 0 : 1;
    return {
      fault: fault ?? `no fault: ${name}`,
      found: mismatchCount === expected,
      detail: mismatches[0] ?? `${mismatchCount} mismatches`,
    };
  });
  const placement = policy.checks[0];
  return [
    ...verdicts,
    ...[bits.failure, policy.failure].flatMap((failure) =>
      failure === undefined ? [] : [{ fault: 'no fault: the boot', found: false, detail: failure }],
    ),
    {
      fault: 'the placement policy of another time',
      found: placement?.name === 'placement' && placement.mismatchCount === 1,
      detail: placement?.mismatches[0] ?? 'no mismatch',
    },
  ];
}
