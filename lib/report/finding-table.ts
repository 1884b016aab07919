/**
 * What verify found in all modules, in one table: findings of a module that differ only in place and symbol become one row,
 * since thousands of local references say no more than one.
 */
import { RULES, type RuleName } from '../verify/rule.js';
import type { VerifiedModule } from '../verify/verify.js';
import type { FindingRow, Findings } from './report-data.js';

export class FindingTable {
  readonly #rules: RuleName[] = [];
  readonly #rows: FindingRow[] = [];
  readonly #models: Record<string, number> = {};

  add({ name, model, findings }: VerifiedModule): void {
    this.#models[model] = (this.#models[model] ?? 0) + 1;
    const rows = new Map<string, FindingRow>();
    for (const { severity, rule, section, offset, message } of findings) {
      const key = `${rule} ${section}`;
      const row = rows.get(key);
      if (row) rows.set(key, { ...row, count: row.count + 1 });
      else rows.set(key, { module: name, severity, rule: this.#indexOf(rule), section, offset, message, count: 1 });
    }
    this.#rows.push(...rows.values());
  }

  #indexOf(rule: RuleName): number {
    const index = this.#rules.indexOf(rule);
    return index >= 0 ? index : this.#rules.push(rule) - 1;
  }

  findings(): Findings {
    return {
      rules: this.#rules.map((name) => {
        const { id, kind, kernels, remedy } = RULES[name];
        return { id, kind: kind ?? 'external or local', kernels, remedy };
      }),
      models: this.#models,
      rows: this.#rows,
    };
  }
}
