/** What KASLR leaves to guess. */
import { barX, ruleX, text } from '@observablehq/plot';
import type { EntropyRow } from '../report-data.js';
import { Chart } from './chart.js';
import type { Context } from './context.js';
import { DataTable } from './data-table.js';
import { formatCount } from './quantity.js';
import { type Section, section } from './section.js';

const nameOf = ({ known, unknown }: EntropyRow): string =>
  known === 'nothing' ? unknown : `${unknown}, given ${known}`;

export function entropySection({ data }: Context): Section {
  const about = 'Bits left to guess of each region, alone and after a pointer into another one has leaked.';
  return section({ id: 'entropy', title: 'Entropy', about }, data.entropy, (rows) => {
    const chart = new Chart('Bits of entropy left');
    chart.show(() => ({
      height: 44 + rows.length * 28,
      marginBottom: 40,
      marginLeft: 235,
      marginRight: 60,
      x: { label: 'bits', grid: true, zero: true },
      y: { label: null, domain: rows.map(nameOf) },
      marks: [
        barX(rows, {
          y: nameOf,
          x: 'bits',
          fill: ({ known }: EntropyRow) => (known === 'nothing' ? 'var(--tone-text)' : 'var(--tone-data)'),
        }),
        text(rows, {
          y: nameOf,
          x: 'bits',
          text: ({ bits }: EntropyRow) => bits.toFixed(2),
          textAnchor: 'start',
          dx: 5,
        }),
        ruleX([0]),
      ],
    }));
    const table = new DataTable({
      caption: 'entropy',
      count: rows.length,
      columns: [
        { name: 'Sought', kind: 'text', cell: (row) => rows[row]!.unknown },
        { name: 'Known', kind: 'text', cell: (row) => rows[row]!.known },
        {
          name: 'Places',
          kind: 'number',
          cell: (row) => rows[row]!.slots,
          text: (row) => formatCount(rows[row]!.slots),
        },
        { name: 'Bits', kind: 'number', cell: (row) => rows[row]!.bits, text: (row) => rows[row]!.bits.toFixed(3) },
      ],
    });
    return [chart.element, table.element];
  });
}
