import { isatty } from 'node:tty';
import type { Argv } from 'yargs';
import { formatU64 } from '../../lib/address.js';
import type { Candidate } from '../../lib/explain/candidate.js';
import { explainLine, explainLog } from '../../lib/explain/explain.js';
import type { Explanation } from '../../lib/explain/explanation.js';
import { relocationName } from '../../lib/reloc/name.js';
import { EXPLAIN_OPTIONS, type ExplainArguments, openContext } from '../explain-session.js';
import { readInput } from '../input.js';
import { aboutFile, UsageError } from '../output/error.js';
import { formatCount, formatSize, printable, printJson } from '../output/print.js';
import { printTable } from '../output/table.js';
import { withPlacement } from '../placement.js';

type Arguments = ExplainArguments & { lines?: string[]; json?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .positional('lines', {
      type: 'string',
      array: true,
      describe: 'lines of a kernel log; none or -: a whole log from standard input',
    })
    .options(EXPLAIN_OPTIONS)
    .conflicts('at', 'module-base')
    .example("$0 explain 'module tun: overflow in relocation type 261 val fffffdfffc000654'", 'one line')
    .example("$0 explain 'unsupported RELA relocation: 275' --module driver.ko", 'and where in the module');
}

export async function handler(values: unknown): Promise<void> {
  const { lines = [], json, ...options } = values as Arguments;
  const [first] = lines;
  const isLog = first === undefined || first === '-' || (lines.length === 1 && first.trimEnd().includes('\n'));
  // process.stdin would make its descriptor non-blocking.
  if (first === undefined && isatty(0)) throw new UsageError('a line to explain is missing');
  if (first === '-' && lines.length > 1) throw new UsageError('- stands for a whole log and comes alone');
  const context = await openContext(options);
  if (isLog) {
    const log = first === undefined || first === '-' ? await readLog() : first;
    print(explainLog(log, context), json);
    return;
  }
  const explained = lines.map((line) => explainLine(line, context));
  if (json) printJson(lines.length === 1 ? toJson(explained[0]) : explained.map(toJson));
  else print(explained.filter((one) => one !== undefined));
  lines.forEach((line, i) => {
    if (!explained[i] && !json) process.stdout.write(`${printable(line)}: not a message that is known\n`);
  });
  if (explained.includes(undefined)) process.exitCode = 1;
}

function readLog(): Promise<string> {
  return aboutFile('standard input', () => Buffer.from(readInput('-')).toString('utf8'));
}

function print(explanations: readonly Explanation[], json = false): void {
  if (json) printJson(explanations.map(toJson));
  else {
    for (const [i, explanation] of explanations.entries()) {
      if (i > 0) process.stdout.write('\n');
      printExplanation(explanation);
    }
  }
}

const NOT_KNOWN = {
  matched: null,
  pattern: null,
  module: null,
  meaning: null,
  rule: null,
  type: null,
  typeName: null,
  value: null,
  candidates: [],
  remedy: null,
};

function toJson(explanation: Explanation | undefined): object {
  if (!explanation) return NOT_KNOWN;
  const { matched, pattern, module, meaning, rule, type, value, candidates, remedy } = explanation;
  return {
    matched,
    pattern,
    module: module ?? null,
    meaning,
    rule: rule ?? null,
    type: type ?? null,
    typeName: type === undefined ? null : relocationName(type),
    value: typeof value === 'bigint' ? formatU64(value) : (value ?? null),
    candidates: candidates.map((one) => ({
      section: one.section,
      offset: one.offset,
      function: one.function ?? null,
      symbol: one.symbol,
      addend: formatU64(one.addend),
      distance: exactly(one.distance),
    })),
    remedy,
  };
}

/** As a JSON number; what it would round is no distance between addresses, but comes of an addend made up. */
function exactly(distance: bigint | undefined): number | null {
  const number = distance === undefined ? Number.NaN : Number(distance);
  return Number.isSafeInteger(number) ? number : null;
}

/** Rows printed for a person; --json has all. */
const ROW_LIMIT = 20;

const MARGIN = 10;

function printExplanation({ matched, meaning, rule, candidates, noCandidates, remedy }: Explanation): void {
  process.stdout.write(`${printable(matched)}\n`);
  printParagraph('means', meaning);
  if (rule !== undefined) printParagraph('rule', `${rule}.`);
  printParagraph('remedy', remedy);
  if (noCandidates !== undefined) printParagraph('place', `${noCandidates}.`);
  if (candidates.length === 0) return;
  printTable(
    ['  place', 'function', 'refers to', 'distance'],
    candidates
      .slice(0, ROW_LIMIT)
      .map((one) => [
        `  ${one.section}+0x${one.offset.toString(16)}`,
        one.function ?? '-',
        one.symbol + signed(one.addend),
        describeDistance(one),
      ]),
  );
  if (candidates.length > ROW_LIMIT) {
    process.stdout.write(`  and ${formatCount(candidates.length - ROW_LIMIT)} more (--json lists them)\n`);
  }
}

/** A text under a title beside it, folded to the terminal. */
function printParagraph(title: string, text: string): void {
  const width = Math.max((process.stdout.columns ?? 100) - MARGIN, 40);
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  lines.forEach((line, i) => {
    process.stdout.write(`${(i === 0 ? `  ${title}` : '').padEnd(MARGIN)}${printable(line)}\n`);
  });
}

function signed(addend: bigint): string {
  if (addend === 0n) return '';
  return addend < 0n ? `-0x${(-addend).toString(16)}` : `+0x${addend.toString(16)}`;
}

function describeDistance({ distance }: Candidate): string {
  if (distance === undefined) return 'not known';
  const size = Number(distance < 0n ? -distance : distance);
  return `${distance} (${formatSize(size)} ${distance < 0n ? 'below' : 'above'})`;
}
