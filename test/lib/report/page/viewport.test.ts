import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addressTicks,
  type Bounds,
  clamped,
  fitted,
  panned,
  pixelOf,
  type Viewport,
  zoomed,
} from '../../../../lib/report/page/viewport.js';

/** The kernel's half of a 48-bit space. */
const BOUNDS: Bounds = { start: -(2 ** 48), end: 0, leastSpan: 4096 };

const viewport = fc
  .record({ start: fc.integer({ min: -(2 ** 48), max: -1 }), bits: fc.double({ min: 12, max: 48, noNaN: true }) })
  .map(({ start, bits }) => clamped({ start, span: 2 ** bits }, BOUNDS));

function expectInside({ start, span }: Viewport): void {
  expect(start).toBeGreaterThanOrEqual(BOUNDS.start);
  expect(start + span).toBeLessThanOrEqual(BOUNDS.end);
  expect(span).toBeGreaterThanOrEqual(BOUNDS.leastSpan);
  expect(Number.isInteger(start) && Number.isInteger(span)).toBe(true);
}

describe('a viewport', () => {
  it('never leaves the bounds, whatever is done to it', () => {
    const factor = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    const share = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(viewport, factor, share, fc.double({ min: 0, max: 1, noNaN: true }), (view, by, move, anchor) => {
        expectInside(zoomed(view, by, anchor, BOUNDS));
        expectInside(panned(view, move, BOUNDS));
      }),
    );
  });

  it('keeps what lies under the pointer there while it zooms in', () => {
    fc.assert(
      fc.property(viewport, fc.double({ min: 0, max: 1, noNaN: true }), (view, anchor) => {
        const address = view.start + view.span * anchor;
        const closer = zoomed(view, 2, anchor, BOUNDS);
        const error = Math.abs(pixelOf(address, closer, 1000) - pixelOf(address, view, 1000));
        // Edges lie on whole bytes.
        expect(error).toBeLessThanOrEqual((1000 / closer.span) * 2);
      }),
    );
  });

  it('comes back when it zooms in and out', () => {
    const view = { start: -(2 ** 40), span: 2 ** 30 };
    expect(zoomed(zoomed(view, 2, 0.25, BOUNDS), 1 / 2, 0.25, BOUNDS)).toEqual(view);
  });

  it('shows all of a range, and not much more', () => {
    const range = { start: -0x8000_0000_0000 + 0x1234_5000, end: -0x8000_0000_0000 + 0x3456_7000 };
    const { start, span } = fitted(range, BOUNDS);
    expect(start).toBeLessThan(range.start);
    expect(start + span).toBeGreaterThan(range.end);
    expect(span).toBeLessThan((range.end - range.start) * 1.2);
    expect(fitted({ start: -8, end: -4 }, BOUNDS).span).toBe(BOUNDS.leastSpan);
  });

  it('scales distances, so that a page at the far end of the space is as sharp as any', () => {
    const start = -(2 ** 52);
    expect(pixelOf(start + 4096, { start, span: 8192 }, 1000)).toBe(500);
    expect(pixelOf(start + 1, { start, span: 4096 }, 4096)).toBe(1);
  });
});

describe('addressTicks', () => {
  it('are multiples of one power of two, as near as the gap allows', () => {
    fc.assert(
      fc.property(viewport, fc.integer({ min: 300, max: 2000 }), (view, width) => {
        const ticks = addressTicks(view, { width, leastGap: 150 });
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(view.start);
          expect(tick).toBeLessThanOrEqual(view.start + view.span);
        }
        const pixels = ticks.map((tick) => pixelOf(tick, view, width));
        for (let i = 1; i < ticks.length; i++) {
          const step = ticks[i]! - ticks[i - 1]!;
          expect(Math.log2(step) % 1).toBe(0);
          expect(Math.abs(ticks[i]! % step)).toBe(0);
          expect(pixels[i]! - pixels[i - 1]!).toBeGreaterThanOrEqual(150 - 1e-6);
          expect(pixels[i]! - pixels[i - 1]!).toBeLessThan(300 + 1e-6);
        }
        expect(ticks.length).toBeGreaterThanOrEqual(Math.floor(width / 300));
      }),
    );
  });
});
