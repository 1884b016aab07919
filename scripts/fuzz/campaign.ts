/**
 * Mutants one after another, each made from the campaign's seed and its own number alone: what failed can be made again without
 * those before it.
 */
import { exercise } from './exercise.js';
import { Random } from './random.js';
import { type Kind, mutate, type Subject } from './subject.js';

export interface Campaign {
  /** The project's folder. */
  readonly root: string;
  readonly seed: string;
  readonly subjects: readonly Subject[];
}

export interface Failure {
  readonly index: number;
  readonly subject: string;
  readonly kind: Kind;
  readonly reason: string;
}

/** The longest that a mutant of a few kilobytes may take, in milliseconds. */
const TIME_LIMIT = 2000;
/** What a mutant may add to the peak of this process's memory, in bytes: a few copies of what 64 MiB of .bss takes. */
const MEMORY_LIMIT = 640 * 2 ** 20;

/** The mutant of that number. */
export function makeMutant(
  { seed, subjects }: Omit<Campaign, 'root'>,
  index: number,
): { subject: Subject; bytes: Uint8Array } {
  const random = new Random(`${seed}/${index}`);
  // Each kind comes up as often, however many files it has.
  const kinds = [...new Set(subjects.map(({ kind }) => kind))];
  const kind = random.pick(kinds);
  const subject = random.pick(subjects.filter((one) => one.kind === kind));
  return { subject, bytes: mutate(subject, random) };
}

const peakMemory = (): number => process.resourceUsage().maxRSS * 1024;

async function attempt(subject: Subject, bytes: Uint8Array, root: string): Promise<string | undefined> {
  const before = peakMemory();
  const start = performance.now();
  try {
    await exercise(subject, bytes, root);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const time = performance.now() - start;
  if (time > TIME_LIMIT) return `took ${Math.round(time)} ms`;
  const memory = peakMemory() - before;
  return memory > MEMORY_LIMIT ? `took ${Math.round(memory / 2 ** 20)} MiB` : undefined;
}

/** Tries one mutant; undefined if nothing is wrong with what becomes of it. */
export async function tryMutant(campaign: Campaign, index: number): Promise<Failure | undefined> {
  const { subject, bytes } = makeMutant(campaign, index);
  let reason = await attempt(subject, bytes, campaign.root);
  // Another process may have taken the processor meanwhile.
  if (reason?.endsWith(' ms')) reason = await attempt(subject, bytes, campaign.root);
  return reason === undefined ? undefined : { index, subject: subject.name, kind: subject.kind, reason };
}
