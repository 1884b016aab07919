import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { MappingError } from '../../../lib/errors.js';
import { DESCRIPTOR } from '../../../lib/mmu/descriptor.js';
import { type MappedSegment, mapSegments } from '../../../lib/mmu/segment-population.js';
import { TableSet } from '../../../lib/mmu/table-set.js';
import { translationRegime } from '../../../lib/mmu/translation-regime.js';
import { type Leaf, translate, walkLeaves } from '../../../lib/mmu/walker.js';
import { entryAttributes, granularities, regimes } from './arbitrary.js';

/** Segments one behind the other, cut at any multiple of 512 bytes, so that some share a page. */
const layouts = regimes.chain((regime) =>
  fc.record({
    regime: fc.constant(regime),
    granularity: granularities(regime),
    base: fc.integer({ min: 1, max: 1000 }).map((n) => -n * 2 ** 25),
    parts: fc.array(
      fc.record({
        size: fc.oneof(
          fc.integer({ min: 1, max: 600 }).map((n) => n * 512),
          fc.integer({ min: 1, max: 40 }).map((n) => n * 2 ** 16),
        ),
        gap: fc.constantFrom(0, 0, 512, 2 ** 16),
        attributes: entryAttributes,
        contiguous: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
);

describe('mapSegments', () => {
  it('gives every byte of every segment its own attributes, or refuses two that share an entry', () => {
    let mapped = 0;
    let refused = 0;
    fc.assert(
      fc.property(layouts, ({ regime, granularity, base, parts }) => {
        let at = base;
        const segments = parts.map(({ size, gap, attributes, contiguous }, i): MappedSegment => {
          const start = va(at + gap);
          at = start + size;
          const pa = 2 ** 35 + (start - base);
          return { name: `${i}`, start, end: va(at), pa, contiguous, attributes };
        });
        const page = regime.pageSize;
        const clash = segments.some((segment, i) => {
          const before = segments[i - 1];
          const shared = before && Math.floor((before.end - 1) / page) === Math.floor(segment.start / page);
          return shared && before.attributes.leaf !== segment.attributes.leaf;
        });
        const tables = new TableSet({ regime, root: 0 });
        const run = (): void => mapSegments(tables, [...segments].reverse(), granularity);
        if (clash) {
          refused++;
          expect(run).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
          return;
        }
        mapped++;
        run();
        for (const { start, end, pa, attributes } of segments) {
          for (const probe of [start, end - 1]) {
            const found = translate(tables, va(probe)) as { pa: number; leaf: Leaf };
            expect(found.pa).toBe(pa + probe - start);
            expect(found.leaf.descriptor & attributes.leaf).toBe(attributes.leaf);
            expect(found.leaf.attributes.writable).toBe((attributes.leaf & DESCRIPTOR.RDONLY) === 0n);
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(Math.min(mapped, refused)).toBeGreaterThan(10);
  });

  const regime = translationRegime({ pageSize: 4096, vaBits: 48 });
  const pages = { blocks: [2], contiguous: [3], roundTo: 4096 };
  const segment = (start: number, end: number, more: Partial<MappedSegment> = {}): MappedSegment => ({
    name: `from ${start}`,
    start: va(-(2 ** 30) + start),
    end: va(-(2 ** 30) + end),
    pa: start,
    contiguous: true,
    attributes: { leaf: 0n, table: 0n },
    ...more,
  });

  it('lets the later of two agreeing segments start behind the page they share', () => {
    const tables = new TableSet({ regime, root: 0 });
    mapSegments(tables, [segment(0, 0x10800), segment(0x10800, 0x30000)], pages);
    const leaves = [...walkLeaves(tables, { start: va(-(2 ** 30)), end: va(-1) })];
    expect(leaves.map((leaf) => leaf.contiguous)).toEqual([
      ...Array(16).fill(true),
      ...Array(16).fill(false),
      ...Array(16).fill(true),
    ]);
  });

  it('names both segments of a conflict', () => {
    const other = { attributes: { leaf: DESCRIPTOR.RDONLY, table: 0n } };
    const run = (): void =>
      mapSegments(new TableSet({ regime, root: 0 }), [segment(0, 0x800), segment(0x800, 0x2000, other)], pages);
    expect(run).toThrow(MappingError);
    expect(run).toThrow(/^from 0 and from 2048 share the entry at 0xffffffffc0000000$/);
  });

  it('rounds outwards to blocks where there is nothing smaller, and needs VA and PA to agree within one', () => {
    const blocks = { blocks: [2], contiguous: [], roundTo: 2 ** 21 };
    const tables = new TableSet({ regime, root: 0 });
    mapSegments(tables, [segment(0x210000, 0x400001)], blocks);
    expect([...walkLeaves(tables, { start: va(-(2 ** 30)), end: va(-1) })].map((leaf) => leaf.pa)).toEqual([
      0x200000, 0x400000,
    ]);
    const skewed = (): void => mapSegments(tables, [segment(0x210000, 0x400000, { pa: 0x220000 })], blocks);
    expect(skewed).toThrow(expect.objectContaining({ code: 'MISALIGNED' }));
  });
});
