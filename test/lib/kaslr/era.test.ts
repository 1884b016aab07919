import { describe, expect, it } from '@jest/globals';
import { ERAS, eraByKey, eraOfVersion } from '../../../lib/kaslr/era.js';
import { codeOf } from '../../support/thrown.js';

const at = (version: string) => {
  const [major, minor] = version.split('.').map(Number);
  return eraOfVersion({ major: major!, minor: minor! });
};

describe('eraOfVersion', () => {
  it.each([
    ['4.6', '4.6', '4.11'],
    ['4.12', '4.12', '4.16'],
    ['4.17', '4.17', '5.3'],
    ['5.4', '5.4', '5.19'],
    ['6.0', '6.0', '6.4'],
    ['6.5', '6.5', '6.8'],
    ['6.9', '6.9', '6.15'],
    ['6.16', '6.16', '7.3'],
  ])('era %s holds from %s to %s', (key, first, last) => {
    expect([at(first).key, at(last).key]).toEqual([key, key]);
  });

  it.each(['4.5', '3.19', '0.0', '2.6'])('has none for %s, which had no KASLR', (version) => {
    expect(codeOf(() => at(version))).toBe('UNKNOWN_ERA');
  });

  it('knows that the module window shrank from 4 to 2 GiB at 5.3, within an era', () => {
    expect(['4.17', '5.2', '5.3', '5.4'].map((version) => at(version).moduleWindow / 2 ** 30)).toEqual([4, 4, 2, 2]);
  });

  it('knows which bits of the seed move the linear map, until none do', () => {
    expect(['4.6', '5.19', '6.0', '6.15', '6.16'].map((version) => at(version).linearMapSeed)).toEqual([
      { lsb: 48, length: 16 },
      { lsb: 48, length: 16 },
      { lsb: 0, length: 16 },
      { lsb: 0, length: 16 },
      undefined,
    ]);
  });
});

describe('eraByKey', () => {
  it('finds every era, and lists them for a wrong key', () => {
    expect(ERAS.map(({ key }) => eraByKey(key))).toEqual(ERAS);
    for (const key of ['6.2', '', '6', '4.60', 'toString']) expect(codeOf(() => eraByKey(key))).toBe('UNKNOWN_ERA');
    expect(() => eraByKey('6.2')).toThrow('4.6, 4.12, 4.17, 5.4, 6.0, 6.5, 6.9, 6.16');
  });
});
