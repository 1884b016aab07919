/** What `explain` is told about the system a message comes from, and what it answers. */
import type { KernelVersion } from '../kaslr/era.js';
import type { Candidate, Query, SearchedModule } from './candidate.js';

export interface ExplainContext {
  /** The kernel that printed the message. */
  readonly version?: KernelVersion | undefined;
  /** The module that messages may be about. */
  readonly module?: SearchedModule | undefined;
  /** `symbol+0x10` of an address in the kernel's image. */
  readonly nameOf?: ((address: bigint) => string | undefined) | undefined;
}

/** What a row of the table makes of a line. */
export interface Reading {
  readonly meaning: string;
  readonly remedy: string;
  /** The module that the line names. */
  readonly module?: string | undefined;
  /** ELF64_R_TYPE. */
  readonly type?: number | undefined;
  /** 64 bits, or a count. */
  readonly value?: bigint | number | undefined;
  /** What of the module the line is about. */
  readonly search?: Query | undefined;
  /** Whether it depends on where modules may lie. */
  readonly isAboutDistance?: boolean | undefined;
}

/** One kind of message. */
export interface Pattern {
  readonly id: string;
  /** A line without this text is not looked at any closer: expressions are slow on lines made to be slow. */
  readonly keyword: string;
  /** Matches the message wherever in a line it stands, behind time stamps and the like. */
  readonly expression: RegExp;
  readonly read: (match: RegExpExecArray, context: ExplainContext) => Reading;
}

export interface Explanation extends Omit<Reading, 'search' | 'isAboutDistance'> {
  /** Id of the pattern. */
  readonly pattern: string;
  /** The message, without what a log puts before it. */
  readonly matched: string;
  /** Where modules may lie in that kernel, if it matters and the kernel is known. */
  readonly rule: string | undefined;
  readonly candidates: readonly Candidate[];
  /** Why there are none though a module was at hand: it is not the one that the line names, or nothing in it fits. */
  readonly noCandidates: string | undefined;
}
