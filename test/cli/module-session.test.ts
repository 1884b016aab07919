import { describe, expect, it } from '@jest/globals';
import { moduleRandom, parseModuleBase } from '../../cli/module-session.js';
import { type EraKey, eraByKey } from '../../lib/kaslr/era.js';
import { geometryOf } from '../../lib/kaslr/layout.js';
import { place } from '../../lib/kaslr/place.js';

const at = (key: EraKey, seed: bigint) =>
  place({ era: eraByKey(key), geometry: geometryOf({ pageSize: 4096, vaBits: 48 }), imageSize: 2 ** 24 }, { seed });

describe('the value that draws the module region', () => {
  it('is the seed before 6.0, and no other', () => {
    expect(moduleRandom(at('5.4', 7n), undefined)).toBe(7n);
    expect(moduleRandom(at('5.4', 7n), 7n)).toBe(7n);
    expect(() => moduleRandom(at('5.4', 7n), 8n)).toThrow('before 6.0 the seed');
  });

  it('is one of its own from 6.0 on, or none', () => {
    expect(moduleRandom(at('6.0', 7n), 8n)).toBe(8n);
    expect(moduleRandom(at('6.0', 7n), undefined)).toBeUndefined();
  });
});

describe('parseModuleBase', () => {
  it.each(['0xffff800000000000', '0xffffffff80000000'])('takes %s', (text) => {
    expect(parseModuleBase(text, 4096)).toBe(Number(BigInt.asIntN(64, BigInt(text))));
  });

  it.each([
    ['0xffffffff80001000', 'leaves modules no 2 GiB'],
    ['0x1000', 'leaves modules no 2 GiB'],
    ['0xffff800000000800', 'is not page aligned'],
  ])('refuses %s', (text, message) => {
    expect(() => parseModuleBase(text, 4096)).toThrow(message);
  });
});
