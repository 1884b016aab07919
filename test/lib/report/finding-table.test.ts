import { describe, expect, it } from '@jest/globals';
import { FindingTable } from '../../../lib/report/finding-table.js';
import { RULES } from '../../../lib/verify/rule.js';
import type { Finding, VerifiedModule } from '../../../lib/verify/verify.js';

const finding = (rule: Finding['rule'], section: string, offset: number, severity: Finding['severity']): Finding => ({
  severity,
  kind: 'external',
  rule,
  section,
  offset,
  function: undefined,
  type: 275,
  symbol: 'foo',
  addend: 0n,
  message: `${rule} at ${section}+${offset}`,
});

const verified = (name: string, findings: Finding[]): VerifiedModule => ({
  name,
  model: 'large',
  window: Number.POSITIVE_INFINITY,
  findings,
});

describe('FindingTable', () => {
  it('makes one row of what differs in place alone, told by the first, and counts it', () => {
    const table = new FindingTable();
    table.add(
      verified('a', [
        finding('externalPage', '.text', 8, 'error'),
        finding('externalPage', '.text', 16, 'error'),
        finding('externalPage', '.init.text', 0, 'error'),
        finding('localReference', '.text', 20, 'note'),
        finding('externalPage', '.text', 24, 'error'),
      ]),
    );
    table.add(verified('b', [finding('externalPage', '.text', 4, 'error')]));
    const { rows, rules } = table.findings();
    expect(
      rows.map(({ module, rule, section, offset, count }) => [module, rules[rule]!.id, section, offset, count]),
    ).toEqual([
      ['a', 'external-page', '.text', 8, 3],
      ['a', 'external-page', '.init.text', 0, 1],
      ['a', 'local-reference', '.text', 20, 1],
      ['b', 'external-page', '.text', 4, 1],
    ]);
    expect(rows[0]!.message).toBe('externalPage at .text+8');
  });

  it('lists only the rules that were met, as they stand in the book', () => {
    const table = new FindingTable();
    table.add(verified('a', [finding('got', '.text', 0, 'error')]));
    const { id, kind, kernels, remedy } = RULES.got;
    expect(table.findings().rules).toEqual([{ id, kind, kernels, remedy }]);
  });

  it('counts modules by code model, with and without findings', () => {
    const table = new FindingTable();
    table.add(verified('a', []));
    table.add({ ...verified('b', []), model: 'small' });
    table.add(verified('c', [finding('got', '.text', 0, 'error')]));
    expect(table.findings().models).toEqual({ large: 2, small: 1 });
  });
});
