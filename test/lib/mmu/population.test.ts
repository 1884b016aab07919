import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Va, va } from '../../../lib/address.js';
import { MappingError } from '../../../lib/errors.js';
import { DESCRIPTOR } from '../../../lib/mmu/descriptor.js';
import { mappingUnits, planLeaves } from '../../../lib/mmu/leaf-run.js';
import { changeLeaves, populate } from '../../../lib/mmu/population.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { levelSize, type TranslationRegime, translationRegime } from '../../../lib/mmu/translation-regime.js';
import { translate, walkLeaves } from '../../../lib/mmu/walker.js';
import { disjointRanges, entryAttributes, granularities, type RandomRange, ranges, regimes } from './arbitrary.js';

const ALL: { start: Va; end: Va } = { start: va(-(2 ** 52)), end: va(0) };

/** Where a translation can go wrong: both sides of each end, and of each leaf. */
function probes(tables: TableSet, range: RandomRange): number[] {
  const leaves = [...walkLeaves(tables, { start: range.va, end: va(range.va + range.size) })];
  const edges = leaves.slice(0, 50).flatMap((leaf) => [leaf.va, leaf.va + leaf.size - 1]);
  return [range.va, range.va + range.size - 1, range.va + Math.floor(range.size / 2), ...edges];
}

const cases = regimes.chain((regime) =>
  fc.record({
    regime: fc.constant(regime),
    granularity: granularities(regime),
    range: ranges(regime),
    attributes: entryAttributes,
  }),
);

describe('populate', () => {
  it('maps every address of a range to its own, and none beside it', () => {
    fc.assert(
      fc.property(cases, ({ regime, granularity, range, attributes }) => {
        const tables = new TableSet({ regime, root: 2 ** 32 });
        populate(tables, planLeaves(regime, range, mappingUnits(regime, granularity)), attributes);
        const wrong = probes(tables, range).filter((at) => {
          const found = translate(tables, va(at));
          return 'fault' in found || found.pa !== at - range.va + range.pa;
        });
        expect(wrong).toEqual([]);
        const inside = (at: number): boolean => at >= -(2 ** regime.vaBits) && at < 0;
        for (const at of [range.va - 1, range.va + range.size].filter(inside)) {
          expect(translate(tables, va(at))).toHaveProperty('fault');
        }
        const mapped = [...walkLeaves(tables, ALL)].reduce((sum, leaf) => sum + leaf.size, 0);
        expect(mapped).toBe(range.size);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same translation in whatever order ranges come', () => {
    const several = regimes.chain((regime) =>
      fc.record({ regime: fc.constant(regime), parts: disjointRanges(regime, { count: 4, pages: 300 }) }),
    );
    fc.assert(
      fc.property(several, ({ regime, parts }) => {
        const units = mappingUnits(regime, { blocks: [2], contiguous: [3] });
        const build = (order: readonly RandomRange[]): string[] => {
          const tables = new TableSet({ regime, root: 0 });
          for (const range of order) populate(tables, planLeaves(regime, range, units), { leaf: 0n, table: 0n });
          return [...walkLeaves(tables, ALL)].map((leaf) => `${leaf.va} ${leaf.descriptor}`);
        };
        const expected = build(parts).join('\n');
        expect(build(parts.toReversed()).join('\n')).toBe(expected);
        expect(build([...parts.slice(1), parts[0]!]).join('\n')).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });

  const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
  const attributes = { leaf: DESCRIPTOR.AF | DESCRIPTOR.RDONLY, table: DESCRIPTOR.UXN_TABLE };
  const base = va(-(2 ** 40));
  const units = mappingUnits(regime, { blocks: [1, 2], contiguous: [3] });
  const plan = (at: number, pa: number, size: number) => planLeaves(regime, { va: va(at), pa, size }, units);

  it('reuses tables that are there at any level, and says nothing against the same word twice', () => {
    const fixmap = new TableSet({ regime, root: 0 });
    populate(fixmap, plan(base, 0, 4096), attributes);
    expect(fixmap.pages).toBe(4);
    const tables = new TableSet({ regime, root: 0, contents: fixmap.bytes });
    populate(tables, plan(base + 4096, 4096, 4096), attributes);
    populate(tables, plan(base, 0, 4096), attributes);
    expect(tables.pages).toBe(4);
    populate(tables, plan(base + 2 ** 21, 2 ** 21, 4096), attributes);
    expect(tables.pages).toBe(5);
    populate(tables, plan(base + 2 ** 30, 0, 2 ** 30), attributes);
    expect(tables.pages).toBe(5);
    expect(translate(tables, va(base + 4096))).toMatchObject({ pa: 4096 });
  });

  it('puts the hierarchical bits into the tables it makes and leaves others alone', () => {
    const tables = new TableSet({ regime, root: 0 });
    populate(tables, plan(base, 0, 4096), { leaf: 0n, table: 0n });
    populate(tables, plan(base + 2 ** 21, 0, 4096), { leaf: 0n, table: DESCRIPTOR.PXN_TABLE });
    expect(translate(tables, base)).toMatchObject({ leaf: { attributes: { executable: true } } });
    expect(translate(tables, va(base + 2 ** 21))).toMatchObject({ leaf: { attributes: { executable: false } } });
  });

  it.each([
    ['another address', plan(base, 2 ** 30, 4096), 3],
    ['another permission', plan(base, 0, 4096), 3],
    ['a block where a table is', plan(base, 0, 2 ** 21), 2],
    ['a block of 1 GiB where a table is', plan(base, 0, 2 ** 30), 1],
    ['a contiguous group where a page is', plan(base, 0, 2 ** 16), 3],
  ])('refuses %s, naming the conflict, before it writes', (what, runs, level) => {
    const tables = new TableSet({ regime, root: 0 });
    populate(tables, plan(base, 0, 4096), attributes);
    const before = tables.bytes.slice();
    const other = what === 'another permission' ? { ...attributes, leaf: DESCRIPTOR.AF } : attributes;
    expect(() => populate(tables, runs, other)).toThrow(MappingError);
    expect(() => populate(tables, runs, other)).toThrow(
      expect.objectContaining({
        code: 'CONFLICT',
        details: expect.objectContaining({ va: '0xffffff0000000000', level, old: expect.any(String) }),
      }),
    );
    expect(tables.bytes).toEqual(before);
  });

  it('refuses a page under a live block, and finds a conflict at the end of a run before it writes the start', () => {
    const tables = new TableSet({ regime, root: 0 });
    populate(tables, plan(base, 0, 2 ** 21), attributes);
    const before = tables.bytes.slice();
    expect(() => populate(tables, plan(base, 0, 4096), attributes)).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    );
    const upTo = plan(base - 2 ** 20, 2 ** 12, 2 ** 20 + 4096);
    expect(() => populate(tables, upTo, attributes)).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    expect(tables.bytes).toEqual(before);
  });

  it('refuses runs that its capacity cannot hold, without walking them', () => {
    const tables = new TableSet({ regime, root: 0 });
    const pages = mappingUnits(regime, { blocks: [], contiguous: [] });
    const runs = planLeaves(regime, { va: va(-(2 ** 48)), pa: 0, size: 2 ** 47 }, pages);
    expect(() => populate(tables, runs, attributes)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });
});

describe('changeLeaves', () => {
  const regime: TranslationRegime = translationRegime({ pageSize: 16384, vaBits: 47 });
  const block = levelSize(regime, 2);
  const start = va(-block);
  const page = regime.pageSize;

  function mapped(contiguous: number[]): TableSet {
    const tables = new TableSet({ regime, root: 0 });
    const units = mappingUnits(regime, { blocks: [2], contiguous });
    populate(tables, planLeaves(regime, { va: va(-2 * block), pa: 0, size: block }, units), { leaf: 0n, table: 0n });
    const half = planLeaves(regime, { va: start, pa: block, size: block / 2 }, units);
    populate(tables, half, { leaf: 0n, table: 0n });
    return tables;
  }

  it('changes attributes in place and keeps addresses and sizes', () => {
    const tables = mapped([]);
    changeLeaves(tables, { start: va(-2 * block), end: va(start + 2 * page) }, DESCRIPTOR.RDONLY);
    const leaves = [...walkLeaves(tables, ALL)];
    expect(leaves.filter((leaf) => !leaf.attributes.writable).map(({ va: at, pa, size }) => [at, pa, size])).toEqual([
      [-2 * block, 0, block],
      [start, block, page],
      [start + page, block + page, page],
    ]);
  });

  it('clears what it is told to and leaves the tables', () => {
    const tables = mapped([3]);
    const { pages } = tables;
    changeLeaves(tables, { start, end: va(start + 128 * page) }, undefined);
    expect(tables.pages).toBe(pages);
    expect(translate(tables, start)).toEqual({ fault: 3 });
    expect(translate(tables, va(start + 128 * page))).toMatchObject({ pa: block + 128 * page });
  });

  it.each([
    ['half of a block', [], -2 * block, -2 * block + block / 2, undefined],
    ['the rest of a block', [], -block - page, -block, undefined],
    ['part of a contiguous group', [3], start, start + page, undefined],
    ['the attributes of a live contiguous group', [3], start, start + 128 * page, DESCRIPTOR.RDONLY],
  ])('refuses to change %s', (_, contiguous, from, to, attributes) => {
    const tables = mapped(contiguous);
    const before = tables.bytes.slice();
    const range = { start: va(from), end: va(to) };
    expect(() => changeLeaves(tables, range, attributes)).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    expect(tables.bytes).toEqual(before);
  });
});
