/** What a run found: a line for each boot as it ends, and totals by kernel and CPU, for a terminal or in Markdown. */
import { formatU64, formatVa } from '../../lib/address.js';
import type { BootResult } from './boot.js';
import { type Check, passed, type Unit } from './check.js';

/** How often each outcome was met: checks of all boots, and boots that could not be followed to their end. */
export function countOutcomes(results: readonly BootResult[]): { passed: number; failed: number } {
  const checks = results.flatMap((result) => result.checks);
  const good = checks.filter(passed).length;
  const broken = results.filter((result) => result.failure !== undefined).length;
  return { passed: good, failed: checks.length - good + broken };
}

const number = (x: number): string => x.toLocaleString('en-US');

function total(checks: readonly Check[], unit: Unit): number {
  return checks.filter((check) => check.unit === unit).reduce((sum, { compared }) => sum + compared, 0);
}

const modulesOf = (checks: readonly Check[]): number => checks.reduce((sum, { modules }) => sum + modules, 0);

const mismatchesOf = (checks: readonly Check[]): number => checks.reduce((sum, check) => sum + check.mismatchCount, 0);

/** One boot in a line, what failed in the lines below it. */
export function describeBoot(result: BootResult): string {
  const { release, cpu, seed, text, checks, failure, seconds } = result;
  const isGood = failure === undefined && checks.every(passed);
  const compared = [
    `${number(total(checks, 'word'))} words`,
    `${number(total(checks, 'leaf'))} leaves`,
    `${number(total(checks, 'section'))} sections of ${number(modulesOf(checks))} modules`,
  ].join(', ');
  const where = text === undefined ? '' : ` _text ${formatVa(text)},`;
  const lines = [
    `${isGood ? 'ok    ' : 'FAILED'} ${release} on ${cpu}, seed ${formatU64(seed)}:${where} ${compared}, ${seconds.toFixed(1)} s`,
  ];
  for (const check of checks.filter((candidate) => !passed(candidate))) {
    lines.push(`    ${check.name}: ${number(check.mismatchCount)} mismatches, ${number(check.compared)} compared`);
    lines.push(...check.mismatches.map((mismatch) => `      ${mismatch}`));
  }
  if (failure !== undefined) lines.push(...failure.split('\n').map((line) => `    ${line}`));
  return lines.join('\n');
}

/** Results by kernel and CPU, in the order they were first met. */
function group(results: readonly BootResult[]): BootResult[][] {
  const groups = new Map<string, BootResult[]>();
  for (const result of results) {
    const key = `${result.release} ${result.cpu}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()];
}

const HEADINGS = ['kernel', 'CPU', 'boots', 'words', 'leaves', 'modules', 'sections', 'mismatches'] as const;

function tableRow(name: readonly [string, string], results: readonly BootResult[]): string[] {
  const checks = results.flatMap((result) => result.checks);
  const counts = [
    results.length,
    total(checks, 'word'),
    total(checks, 'leaf'),
    modulesOf(checks),
    total(checks, 'section'),
    mismatchesOf(checks),
  ];
  return [...name, ...counts.map(number)];
}

function tableRows(results: readonly BootResult[]): string[][] {
  const rows = group(results).map((boots) => tableRow([boots[0]!.release, boots[0]!.cpu], boots));
  return [...rows, tableRow(['all', ''], results)];
}

/** What differed for known reasons: reason, words or modules, in how many boots. */
function explanations(results: readonly BootResult[]): [reason: string, count: number, boots: number][] {
  const reasons = new Map<string, [number, number]>();
  for (const { checks } of results) {
    for (const [reason, count] of checks.flatMap(({ explained }) => [...explained])) {
      const [sum, boots] = reasons.get(reason) ?? [0, 0];
      reasons.set(reason, [sum + count, boots + 1]);
    }
  }
  return [...reasons].map(([reason, [count, boots]]) => [reason, count, boots]);
}

/** Totals for a terminal. */
export function describeRun(results: readonly BootResult[]): string {
  const rows = [[...HEADINGS], ...tableRows(results)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  const explained = explanations(results).map(
    ([reason, count, boots]) => `  ${reason}: ${number(count)} in ${boots} ${boots === 1 ? 'boot' : 'boots'}`,
  );
  if (explained.length > 0) explained.unshift('different for known reasons:');
  return [...rows.map(line), ...explained].join('\n');
}

/** The same for release notes, with what it takes to repeat a boot. */
export function markdownReport(results: readonly BootResult[], qemu: string): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const align = HEADINGS.map((_, i) => (i < 2 ? '---' : '---:'));
  const { passed: good, failed } = countOutcomes(results);
  return [
    '# Conformance',
    '',
    `Booted under ${qemu} and compared with what kaslrkit says of the seed: ${number(good)} checks passed, ${number(failed)} failed.`,
    'Words are those of the image after its self-relocation; leaves are the page table entries that map it, early and after',
    'boot; sections are those of modules as loaded, before alternatives are patched.',
    '',
    row(HEADINGS),
    row(align),
    ...tableRows(results).map(row),
    '',
    '## Different for known reasons',
    '',
    row(['reason', 'count', 'boots']),
    row(['---', '---:', '---:']),
    ...explanations(results).map(([reason, count, boots]) => row([reason, number(count), number(boots)])),
    '',
    '## Seeds',
    '',
    ...group(results).map(
      (boots) =>
        `- ${boots[0]!.release} on ${boots[0]!.cpu}: ${boots.map(({ seed }) => `\`${formatU64(seed)}\``).join(', ')}`,
    ),
    '',
  ].join('\n');
}
