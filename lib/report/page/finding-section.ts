/** What verify found in the modules. */
import { barX, ruleX, text } from '@observablehq/plot';
import type { Findings } from '../report-data.js';
import { Chart } from './chart.js';
import type { Context } from './context.js';
import { DataTable } from './data-table.js';
import { formatCount, formatOffset } from './quantity.js';
import { factList, folded, type Section, section } from './section.js';

export function findingSection({ data }: Context): Section {
  const about =
    'References that could go out of range, or that some kernels refuse. Findings of one module, rule and section share a row, told by the first of them.';
  return section({ id: 'findings', title: 'Verify findings', about }, data.findings, (findings) => {
    const { rows, models } = findings;
    const errors = rows.filter(({ severity }) => severity === 'error');
    const facts = factList([
      ['Errors', formatCount(total(errors))],
      ['Modules with errors', formatCount(new Set(errors.map(({ module }) => module)).size)],
      ['Notes', formatCount(total(rows) - total(errors))],
      ...Object.entries(models).map(([model, count]): [string, string] => [
        `Code model ${model}`,
        `${formatCount(count)} modules`,
      ]),
    ]);
    if (rows.length === 0) return [facts];
    return [
      facts,
      ruleChart(findings),
      findingTable(findings),
      folded('What the rules mean', ruleTable(findings), false),
    ];
  });
}

const total = (rows: Findings['rows']): number => rows.reduce((sum, { count }) => sum + count, 0);

function ruleChart({ rules, rows }: Findings): HTMLElement {
  const counts = rules.map(({ id }, rule) => {
    const found = rows.filter((row) => row.rule === rule);
    return {
      id,
      count: total(found),
      modules: new Set(found.map(({ module }) => module)).size,
      severity: found[0]!.severity,
    };
  });
  type Count = (typeof counts)[number];
  const chart = new Chart('Findings by rule, errors in red');
  const label = ({ count, modules }: Count): string => `${formatCount(count)} in ${formatCount(modules)} modules`;
  chart.show(() => ({
    height: 44 + counts.length * 28,
    marginBottom: 40,
    marginLeft: 140,
    marginRight: 180,
    x: { label: 'findings', grid: true, zero: true },
    y: { label: null, domain: counts.map(({ id }) => id) },
    marks: [
      barX(counts, {
        y: 'id',
        x: 'count',
        fill: ({ severity }: Count) => (severity === 'error' ? 'var(--error)' : 'var(--tone-block)'),
      }),
      text(counts, { y: 'id', x: 'count', text: label, textAnchor: 'start', dx: 5 }),
      ruleX([0]),
    ],
  }));
  return chart.element;
}

function findingTable({ rows, rules }: Findings): HTMLElement {
  return new DataTable({
    caption: 'findings',
    count: rows.length,
    columns: [
      { name: 'Module', kind: 'text', cell: (row) => rows[row]!.module },
      { name: 'Severity', kind: 'text', cell: (row) => rows[row]!.severity },
      { name: 'Rule', kind: 'text', cell: (row) => rules[rows[row]!.rule]!.id },
      { name: 'Count', kind: 'number', cell: (row) => rows[row]!.count },
      { name: 'First at', kind: 'code', cell: (row) => `${rows[row]!.section}${formatOffset(rows[row]!.offset)}` },
      { name: 'Finding', kind: 'text', cell: (row) => rows[row]!.message },
    ],
    sort: { column: 1, order: 'ascending' },
  }).element;
}

function ruleTable({ rules }: Findings): HTMLElement {
  return new DataTable({
    caption: 'rules',
    count: rules.length,
    columns: [
      { name: 'Rule', kind: 'text', cell: (row) => rules[row]!.id },
      { name: 'Kind', kind: 'text', cell: (row) => rules[row]!.kind },
      { name: 'Kernels that are hit', kind: 'text', cell: (row) => rules[row]!.kernels },
      { name: 'Remedy', kind: 'text', cell: (row) => rules[row]!.remedy },
    ],
  }).element;
}
