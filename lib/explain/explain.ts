/**
 * Explains the one-line complaints of the kernel about modules, distances and KASLR: a table of patterns, and what a module and
 * a kernel at hand add to it.
 */
import { type Candidate, findCandidates, type Query } from './candidate.js';
import type { ExplainContext, Explanation, Pattern } from './explanation.js';
import { KASLR_PATTERNS } from './kaslr-pattern.js';
import { MEMORY_PATTERNS } from './memory-pattern.js';
import { moduleRuleOf } from './module-rule.js';
import { RELOCATION_PATTERNS } from './relocation-pattern.js';
import { SYMBOL_PATTERNS } from './symbol-pattern.js';

/** Every kind of message that is known; the first that matches a line counts. */
export const PATTERNS: readonly Pattern[] = [
  ...RELOCATION_PATTERNS,
  ...MEMORY_PATTERNS,
  ...KASLR_PATTERNS,
  ...SYMBOL_PATTERNS,
];

/** LOG_LINE_MAX is 1024 in all kernels; what a console puts before it is no longer. */
const LINE_LIMIT = 4096;

/** What is meant by a line of a kernel log; undefined if it holds none of the known messages. */
export function explainLine(line: string, context: ExplainContext): Explanation | undefined {
  const text = line.slice(0, LINE_LIMIT);
  for (const { id, keyword, expression, read } of PATTERNS) {
    const match = text.includes(keyword) ? expression.exec(text) : null;
    if (!match) continue;
    const { search, isAboutDistance, ...reading } = read(match, context);
    const given = context.module?.prepared.file.name;
    const isOther = reading.module !== undefined && reading.module.replaceAll('-', '_') !== given;
    const candidates = search && context.module && !isOther ? findCandidates(context.module, search) : [];
    return {
      ...reading,
      pattern: id,
      matched: match[0],
      rule: isAboutDistance && context.version ? moduleRuleOf(context.version) : undefined,
      candidates,
      noCandidates:
        given === undefined ? undefined : whyNone(candidates, given, isOther ? reading.module : undefined, search),
    };
  }
  return undefined;
}

/** Why a module at hand has no candidates, where one could expect some. */
function whyNone(
  candidates: readonly Candidate[],
  given: string,
  other: string | undefined,
  search: Query | undefined,
): string | undefined {
  if (other !== undefined) return `the line names ${other}, not ${given}, where nothing was looked for`;
  if (search && candidates.length === 0) return `none in ${given} can be what the line is about`;
  return undefined;
}

/** `Linux version 6.1.0-56-arm64 (...`, as every log begins. */
const BANNER = /Linux version (\d{1,3})\.(\d{1,3})/;

/** All known messages of a log, in order, each meaning once: a message may be repeated, and stand in a trace behind itself. The log's own banner tells the kernel if the context does not. */
export function explainLog(log: string, context: ExplainContext): Explanation[] {
  const banner = BANNER.exec(log);
  const version = context.version ?? (banner ? { major: Number(banner[1]), minor: Number(banner[2]) } : undefined);
  const found = new Map<string, Explanation>();
  for (const line of log.split('\n')) {
    const explanation = explainLine(line, { ...context, version });
    if (!explanation) continue;
    const key = `${explanation.pattern} ${explanation.module ?? ''} ${explanation.meaning}`;
    if (!found.has(key)) found.set(key, explanation);
  }
  return [...found.values()];
}
