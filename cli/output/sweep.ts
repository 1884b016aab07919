/** A sweep's result as JSON, CSV, or a table with a histogram of the total. */
import { isSampled, type SweepDocument } from '../../lib/sweep/document.js';
import type { Summary } from '../../lib/sweep/histogram.js';
import { formatHistogram } from './histogram.js';
import { formatCount, printFields, printJson } from './print.js';
import { printTable } from './table.js';

export interface SweepOutput {
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
  /** Only so many modules, those that use most. */
  readonly top?: number | undefined;
}

const SUMMARY: readonly (keyof Summary)[] = ['min', 'mean', 'p50', 'p90', 'p99', 'max'];

export function printSweep(document: SweepDocument, { json, csv, top }: SweepOutput): void {
  const shown =
    top === undefined ? document : ({ ...document, modules: document.modules.slice(0, top) } as SweepDocument);
  if (json) printJson(shown);
  else if (csv) printCsv(shown);
  else printText(shown);
}

function printCsv({ modules }: SweepDocument): void {
  const lines = modules.map(({ name, reserved, used }) =>
    [name, reserved, ...SUMMARY.map((key) => used?.[key] ?? '')].join(','),
  );
  process.stdout.write(`${['module', 'reserved', ...SUMMARY].join(',')}\n${lines.map((line) => `${line}\n`).join('')}`);
}

function printText(document: SweepDocument): void {
  const { era, modules } = document;
  const rounded = (value: number | undefined): number | string =>
    value === undefined ? '-' : Math.round(value * 10) / 10;
  printTable(
    ['module', ...SUMMARY, 'reserved'],
    modules.map(({ name, reserved, used }) => [name, ...SUMMARY.map((key) => rounded(used?.[key])), reserved]),
  );
  const { used, reserved, modules: count } = document.total;
  const places = isSampled(document)
    ? `${formatCount(document.seeds.length)} boots of '${document.rng}'`
    : `${formatCount(document.placements)} placements, every one`;
  process.stdout.write('\n');
  printFields([
    ['era', era],
    ['swept', places],
    ['modules', formatCount(count)],
    ['reserved', formatCount(reserved)],
    [
      'used',
      `${formatCount(used.min)} to ${formatCount(used.max)}, mean ${formatCount(Math.round(used.mean * 10) / 10)}`,
    ],
  ]);
  const missed = isSampled(document) ? Math.max(0, ...document.seeds.map(({ notLoaded }) => notLoaded)) : 0;
  if (missed > 0) printFields([['not loaded', `up to ${formatCount(missed)} modules found no room`]]);
  const weights = isSampled(document)
    ? document.total.distribution.map(({ plts, boots }) => [plts, boots] as const)
    : document.total.distribution.map(({ plts, probability }) => [plts, probability] as const);
  if (process.stdout.isTTY) process.stdout.write(`\n${formatHistogram(weights)}`);
}
