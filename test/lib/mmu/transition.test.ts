import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { type Boundaries, inferBoundaries } from '../../../lib/mmu/boundary.js';
import { DESCRIPTOR } from '../../../lib/mmu/descriptor.js';
import { mapKernel } from '../../../lib/mmu/kernel-mapping.js';
import { mappingUnits, planLeaves } from '../../../lib/mmu/leaf-run.js';
import type { Stage } from '../../../lib/mmu/mapping-rule.js';
import { populate } from '../../../lib/mmu/population.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { type ChangeKind, transition } from '../../../lib/mmu/transition.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';
import { translate } from '../../../lib/mmu/walker.js';

const MIB = 2 ** 20;
const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
const BASE = va(-(2 ** 47));
const RANGE = { start: BASE, end: va(BASE + 2 ** 30) };

interface Part {
  readonly size: number;
  readonly offset?: number;
  readonly pa?: number;
  readonly leaf?: bigint;
  readonly blocks?: readonly number[];
  readonly contiguous?: readonly number[];
}

function tablesWith(...parts: Part[]): TableSet {
  const tables = new TableSet({ regime, root: 0 });
  for (const { size, offset = 0, pa = 2 ** 30 + offset, leaf = DESCRIPTOR.AF, blocks = [], contiguous = [] } of parts) {
    const runs = planLeaves(regime, { va: va(BASE + offset), pa, size }, mappingUnits(regime, { blocks, contiguous }));
    populate(tables, runs, { leaf, table: 0n });
  }
  return tables;
}

const PAGE: Part = { size: 4096 };
const NORMAL_NC = 2n << 2n;

describe('transition', () => {
  it.each<[ChangeKind, Part[], Part[], boolean, boolean]>([
    ['created', [], [PAGE], true, false],
    ['removed', [PAGE], [], true, false],
    ['attributes', [PAGE], [{ ...PAGE, leaf: DESCRIPTOR.AF | DESCRIPTOR.RDONLY }], true, false],
    ['attributes', [PAGE], [{ ...PAGE, leaf: DESCRIPTOR.AF | DESCRIPTOR.NG }], true, false],
    ['global', [{ ...PAGE, leaf: DESCRIPTOR.AF | DESCRIPTOR.NG }], [PAGE], false, false],
    ['memory-type', [PAGE], [{ ...PAGE, leaf: DESCRIPTOR.AF | NORMAL_NC }], false, false],
    ['memory-type', [PAGE], [{ ...PAGE, leaf: DESCRIPTOR.AF | DESCRIPTOR.SHARED }], false, false],
    ['output-address', [PAGE], [{ ...PAGE, pa: 2 ** 31 }], false, true],
    ['contiguous', [{ size: 65536 }], [{ size: 65536, contiguous: [3] }], false, true],
    ['contiguous', [{ size: 65536, contiguous: [3] }], [{ size: 65536, contiguous: [3], leaf: 0n }], false, true],
    ['size', [{ size: 2 * MIB }], [{ size: 2 * MIB, blocks: [2] }], false, true],
    ['size', [{ size: 2 * MIB, blocks: [2] }], [PAGE], false, true],
  ])('%s', (kind, before, after, direct, conflict) => {
    const result = transition(tablesWith(...before), tablesWith(...after), RANGE);
    expect(result.changes.map((change) => change.kind)).toEqual([kind]);
    expect(result.direct).toBe(direct);
    expect(result.breakBeforeMake.length).toBe(direct ? 0 : 1);
    expect(result.tlbConflicts.length).toBe(conflict ? 1 : 0);
  });

  it('sees a permission that only a table takes away', () => {
    const after = tablesWith(PAGE);
    const entry = after.root + 8 * 256;
    after.write(entry, after.read(entry) | DESCRIPTOR.PXN_TABLE);
    expect(transition(tablesWith(PAGE), after, RANGE).changes).toMatchObject([{ kind: 'attributes' }]);
  });

  it('says nothing about what stays, and joins neighbours that change alike', () => {
    const quiet: Part = { size: 8 * 4096 };
    const readOnly: Part = { size: 4 * 4096, offset: 2 ** 20, leaf: DESCRIPTOR.AF | DESCRIPTOR.RDONLY };
    const writable: Part = { ...readOnly, leaf: DESCRIPTOR.AF };
    const { changes, bytes } = transition(tablesWith(quiet, writable), tablesWith(quiet, readOnly), RANGE);
    expect(changes).toMatchObject([{ kind: 'attributes', start: BASE + 2 ** 20, end: BASE + 2 ** 20 + 4 * 4096 }]);
    expect([...bytes]).toEqual([['attributes', 4 * 4096]]);
    expect(transition(tablesWith(quiet), tablesWith(quiet), RANGE)).toMatchObject({ changes: [], direct: true });
  });

  it('covers exactly the addresses that translate differently', () => {
    const part = fc.record({
      offset: fc.integer({ min: 0, max: 40 }).map((n) => n * 2 ** 18),
      size: fc.integer({ min: 1, max: 700 }).map((n) => n * 4096),
      skew: fc.constantFrom(0, 0, 2 * MIB),
      leaf: fc.constantFrom(DESCRIPTOR.AF, DESCRIPTOR.AF | DESCRIPTOR.RDONLY),
      blocks: fc.constantFrom([], [2]),
      contiguous: fc.constantFrom([], [3]),
    });
    const mapping = part.map(({ offset, skew, ...rest }): Part => ({ ...rest, offset, pa: 2 ** 30 + offset + skew }));
    fc.assert(
      fc.property(mapping, mapping, fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 30 }), (a, b, pages) => {
        const [before, after] = [tablesWith(a), tablesWith(b)];
        const { changes } = transition(before, after, RANGE);
        for (const page of pages) {
          const at = va(BASE + page * 4096);
          const word = (tables: TableSet): string => {
            const found = translate(tables, at);
            return 'fault' in found ? 'hole' : `${found.leaf.descriptor} ${found.leaf.size}`;
          };
          const changed = changes.some((change) => change.start <= at && at < change.end);
          // A leaf that changes its size counts with all the memory it spans, some of which may stay unmapped.
          if (word(before) !== word(after)) expect(changed).toBe(true);
          else if (word(before) !== 'hole') expect(changed).toBe(false);
        }
      }),
    );
  });
});

describe('transition of a kernel from early to final', () => {
  const TEXT = va(-0x21c7be200000);
  const offsets = {
    _stext: 0x10000,
    _etext: 0xf60000,
    __inittext_begin: 0x1d20000,
    __initdata_begin: 0x1e10000,
    _data: 0x2030000,
    _end: 0x24f0000,
  };
  const symbols: Boundaries = Object.fromEntries(
    Object.entries(offsets).map(([name, offset]) => [name, va(TEXT + offset)]),
  );
  const { boundaries } = inferBoundaries({ symbols, text: TEXT });
  const map = (version: string, stage: Stage): TableSet =>
    mapKernel({ version, stage, regime, boundaries, phys: 0x40200000 }).tables;
  const image = { start: TEXT, end: va(TEXT + 0x24f0000) };

  it('needs other tables up to 6.8: blocks are split, and memory below the text goes', () => {
    const result = transition(map('6.1', 'early'), map('6.1', 'final'), image);
    expect(result.direct).toBe(false);
    // The five blocks of 2 MiB in which a segment that stays mapped begins or ends.
    expect(result.bytes.get('size')).toBe(5 * 2 * MIB);
    expect(result.tlbConflicts.length).toBeGreaterThan(0);
  });

  it('edits its tables in place from 6.9 on', () => {
    const result = transition(map('6.12', 'early'), map('6.12', 'final'), image);
    expect(result.direct).toBe(true);
    expect(result.changes.map(({ kind, start, end }) => [kind, start - TEXT, end - TEXT])).toEqual([
      ['attributes', 0, 0x10000],
      ['attributes', 0xf60000, 0x1d20000],
      ['removed', 0x1d20000, 0x2030000],
    ]);
  });
});
