import { describe, expect, it } from '@jest/globals';
import { mappingRule } from '../../../lib/mmu/mapping-rule.js';

describe('mappingRule', () => {
  it.each([
    ['5.9.16', '5.4'],
    ['5.10.223', '5.10'],
    ['5.12', '5.11'],
    ['5.19', '5.13'],
    ['6.1.0-56-arm64', '6.0'],
    ['6.8.0-31-generic', '6.0'],
    ['6.11.3', '6.9'],
    ['6.12.53', '6.9'],
    ['6.12.54', '6.18'],
    ['6.12.107+deb13-arm64', '6.18'],
    ['6.16.12', '6.9'],
    ['6.17.3', '6.9'],
    ['6.17.13', '6.18'],
    ['7.3.4', '6.18'],
  ])('%s follows the rule of %s', (version, since) => {
    expect(mappingRule(version).since).toBe(since);
  });

  it.each([
    ['5.4', '5.10'],
    ['6.0', '6.0'],
    ['6.5', '6.0'],
    ['6.9', '6.18'],
    ['6.16', '6.18'],
  ])('the era %s stands for its long-term kernel, which follows the rule of %s', (era, since) => {
    expect(mappingRule(era).since).toBe(since);
  });

  it('knows which releases have kernel pages dirty', () => {
    const releases = [
      '5.10.223',
      '6.1.166',
      '6.1.167',
      '6.1.0-56-arm64',
      '6.12.77',
      '6.12.78',
      '6.17.13',
      '7.0',
      '7.3.4',
    ];
    expect(releases.filter((release) => mappingRule(release).dirty)).toEqual([
      '6.1.167',
      '6.1.0-56-arm64',
      '6.12.78',
      '7.0',
      '7.3.4',
    ]);
  });

  it('knows where the read-only alias of the image starts', () => {
    expect(['5.10', '6.1', '6.12.50', '6.12.107'].map((release) => mappingRule(release).linearAliasStart)).toEqual([
      '_text',
      '_stext',
      '_stext',
      '_text',
    ]);
  });

  it.each(['5.3.18', '4.19', '', 'v6.1', '6'])('knows no rule for %j', (version) => {
    expect(() => mappingRule(version)).toThrow(expect.objectContaining({ code: 'UNKNOWN_ERA' }));
  });
});
