import { describe, expect, it } from '@jest/globals';
import { countCases, countOutcomes } from '../../../lib/entropy/histogram.js';
import { linearHistogram, spreadOver } from '../../../lib/entropy/linear-map.js';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf, vaLayout } from '../../../lib/kaslr/layout.js';
import { countsOfCounts, rowsOf } from '../../support/entropy.js';

describe('spreadOver', () => {
  it.each([0, 1, 2, 3, 100, 255, 256, 257, 1023, 1024, 5000])(
    'counts where 10 bits move the map, with room for %d steps',
    (room) => {
      const places = Array.from({ length: 1024 }, (_, s) => Math.floor((room * s) / 1024));
      expect(rowsOf(spreadOver(room, 10))).toEqual(countsOfCounts(places));
    },
  );
});

describe('linearHistogram', () => {
  const slots = (key: string, kernel: { pageSize: number; vaBits: number }, memorySpan: number): number => {
    const era = eraByKey(key);
    const geometry = geometryOf(kernel);
    const histogram = linearHistogram({ era, geometry, layout: vaLayout(era, geometry), memorySpan });
    expect(countCases(histogram)).toBe(65536n);
    return Number(countOutcomes(histogram));
  };
  const small = { pageSize: 4096, vaBits: 39 };
  const GIB = 2 ** 30;

  it('moves by 1 GiB in what the map exceeds memory by', () => {
    expect(slots('5.4', small, 0)).toBe(256);
    expect(slots('5.4', small, 8 * GIB)).toBe(248);
    expect(slots('5.4', small, 8 * GIB + 1)).toBe(247);
    expect(slots('5.4', small, 255 * GIB)).toBe(1);
    expect(slots('4.6', small, 8 * GIB)).toBe(248);
  });

  it('does not move where memory may span more than the map, as 48 physical bits do from 5.11', () => {
    expect(slots('6.0', { pageSize: 4096, vaBits: 48 }, 2 ** 48)).toBe(1);
    expect(slots('6.0', { pageSize: 4096, vaBits: 48 }, 2 ** 44)).toBe(65536);
  });

  it('moves by 512 MiB with 64K pages since memory sections shrank', () => {
    expect(slots('5.4', { pageSize: 65536, vaBits: 42 }, 0)).toBe(2048);
    expect(slots('6.0', { pageSize: 65536, vaBits: 42 }, 0)).toBe(4096);
  });
});
