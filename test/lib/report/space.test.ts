import { describe, expect, it } from '@jest/globals';
import { parseVa } from '../../../lib/address.js';
import { ERAS, eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { place } from '../../../lib/kaslr/place.js';
import { spaceRegions } from '../../../lib/report/space.js';

function regionsOf(
  key: string,
  vaBits: number,
  { pageSize = 4096, cpu }: { pageSize?: number; cpu?: number | undefined } = {},
) {
  const geometry = geometryOf({ pageSize, vaBits }, cpu);
  const { region } = place({ era: eraByKey(key), geometry, imageSize: 2 ** 25, etext: 2 ** 24 }, { seed: 1n });
  return spaceRegions(region, geometry);
}

describe('spaceRegions', () => {
  // Linux Documentation/arm64/memory.rst of 6.1, and of 6.12 under arch/, whose ends are inclusive.
  it.each([
    [
      '6.0',
      {
        'linear map': ['ffff000000000000', 'ffff800000000000'],
        modules: ['ffff800000000000', 'ffff800008000000'],
        vmalloc: ['ffff800008000000', 'fffffbfff0000000'],
        vmemmap: ['fffffc0000000000', 'fffffe0000000000'],
      },
    ],
    [
      '6.9',
      {
        'linear map': ['ffff000000000000', 'ffff800000000000'],
        modules: ['ffff800000000000', 'ffff800080000000'],
        vmalloc: ['ffff800080000000', 'fffffdffbf800000'],
        vmemmap: ['fffffdffc0000000', 'ffffffffc0000000'],
      },
    ],
  ])('are those that the documentation of era %s lists', (key, documented) => {
    const found = regionsOf(key, 48).map(({ name, start, end }) => [name, [start.slice(2), end.slice(2)]]);
    expect(Object.fromEntries(found)).toEqual(documented);
  });

  it('begin with the linear map of 52 bits on a CPU that has them', () => {
    expect(regionsOf('6.9', 52, { cpu: 52 })[0]).toMatchObject({ name: 'linear map', start: '0xfff0000000000000' });
    expect(regionsOf('6.9', 52)[0]).toMatchObject({ name: 'linear map', start: '0xffff000000000000' });
  });

  it('end with the linear map before the space was turned around', () => {
    expect(regionsOf('4.6', 48).at(-1)).toEqual({
      name: 'linear map',
      start: '0xffff800000000000',
      end: '0xffffffffffffffff',
    });
  });

  it.each(ERAS.map(({ key }) => key))('ascend without touching each other in era %s', (key) => {
    const spaces = [
      ...(key.startsWith('4') ? [] : [52, undefined].map((cpu) => ({ pageSize: 65536, vaBits: 52, cpu }))),
      { pageSize: 4096, vaBits: 39 },
      { pageSize: 4096, vaBits: 48 },
      { pageSize: 16384, vaBits: 47 },
      { pageSize: 65536, vaBits: 42 },
      { pageSize: 65536, vaBits: 48 },
    ];
    for (const { vaBits, ...more } of spaces) {
      const edges = regionsOf(key, vaBits, more).flatMap(({ start, end }) => [
        parseVa(start, 'start'),
        parseVa(end, 'end'),
      ]);
      expect(edges).toEqual(edges.toSorted((a, b) => a - b));
      expect(new Set(edges).size).toBeGreaterThanOrEqual(edges.length - 2);
    }
  });
});
