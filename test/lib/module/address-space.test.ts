import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { AddressSpace } from '../../../lib/module/address-space.js';
import { PageBitmap } from '../../support/page-bitmap.js';

const START = -0x7fff_8000_0000;
const PAGE = 4096;
const at = (page: number): number => START + page * PAGE;
const pages = (first: number, end: number) => ({ base: at(first), end: at(end) });

describe('AddressSpace', () => {
  const space = (count: number): AddressSpace => new AddressSpace({ start: at(0), end: at(count) }, PAGE);

  it('gives the lowest address and leaves a guard page behind each block', () => {
    const memory = space(16);
    const whole = pages(0, 16);
    expect([1, PAGE, PAGE + 1, 1].map((size) => memory.allocate(size, whole))).toEqual([at(0), at(2), at(4), at(7)]);
  });

  it('needs the guard page inside the window too', () => {
    expect(space(16).allocate(3 * PAGE, pages(2, 5))).toBeUndefined();
    expect(space(16).allocate(3 * PAGE, pages(2, 6))).toBe(at(2));
    expect(space(4).allocate(4 * PAGE, pages(0, 4))).toBeUndefined();
    expect(space(5).allocate(4 * PAGE, pages(0, 5))).toBe(at(0));
  });

  it('passes over holes that are too small, and comes back to them', () => {
    const memory = space(32);
    const whole = pages(0, 32);
    memory.reserve({ start: at(4), end: at(6) });
    expect(memory.allocate(4 * PAGE, whole)).toBe(at(6));
    expect(memory.allocate(3 * PAGE, whole)).toBe(at(0));
  });

  it('rounds what is reserved out to pages', () => {
    const memory = space(8);
    memory.reserve({ start: at(1) + 1, end: at(1) + 2 });
    expect(memory.allocate(1, pages(0, 8))).toBe(at(2));
  });

  it('joins what is freed with the holes on both sides', () => {
    const memory = space(9);
    const whole = pages(0, 9);
    const [a, b, c] = [PAGE, PAGE, PAGE].map((size) => memory.allocate(size, whole)!);
    memory.free(a!, PAGE);
    memory.free(c!, PAGE);
    expect(memory.largestHole(whole)).toBe(5 * PAGE);
    memory.free(b!, PAGE);
    expect(memory.largestHole(whole)).toBe(9 * PAGE);
    expect(memory.allocate(8 * PAGE, whole)).toBe(at(0));
  });

  it('gives page-aligned addresses from a base that is none', () => {
    expect(space(8).allocate(1, { base: at(1) + 1, end: at(8) })).toBe(at(2));
  });

  it('is empty if the range is', () => {
    const memory = new AddressSpace({ start: at(1), end: at(1) }, PAGE);
    expect(memory.allocate(1, pages(0, 8))).toBeUndefined();
    expect(memory.largestHole(pages(0, 8))).toBe(0);
  });
});

type Step = { kind: 'reserve' | 'allocate' | 'free'; x: number; y: number };

describe('AddressSpace against one flag a page', () => {
  const COUNT = 64;
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('reserve', 'allocate', 'allocate', 'allocate', 'free'),
    // In quarters of a page, so that sizes and bounds are off pages too.
    x: fc.nat({ max: 4 * COUNT }),
    y: fc.nat({ max: 40 }),
  });

  it.each([4096, 16384])('allocates and frees alike with pages of %i bytes', (pageSize) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new AddressSpace({ start: START, end: START + COUNT * pageSize }, pageSize);
        const judge = new PageBitmap(START, COUNT, pageSize);
        const blocks: { address: number; size: number }[] = [];
        for (const { kind, x, y } of steps) {
          const from = START + (x * pageSize) / 4;
          const size = (y * pageSize) / 4;
          if (kind === 'reserve') {
            // What is reserved lies under no block that will be freed.
            if (size === 0 || blocks.length > 0) continue;
            memory.reserve({ start: from, end: from + size });
            judge.reserve(from, from + size);
          } else if (kind === 'allocate') {
            const within =
              x % 3 === 0 ? { base: START, end: START + COUNT * pageSize } : { base: from, end: from + 5 * size };
            const address = memory.allocate(size, within);
            expect(address).toBe(judge.allocate(size, within));
            if (address !== undefined) blocks.push({ address, size });
          } else if (blocks.length > 0) {
            const [block] = blocks.splice(x % blocks.length, 1);
            memory.free(va(block!.address), block!.size);
            judge.free(block!.address, block!.size);
          }
          const whole = { base: START, end: START + COUNT * pageSize };
          expect(memory.largestHole(whole)).toBe(judge.largestHole(whole));
        }
      }),
      { numRuns: 300 },
    );
  });
});
