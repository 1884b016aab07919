import { describe, expect, it } from '@jest/globals';
import { PltError } from '../../../lib/errors.js';
import { PLT_FORMATS, pltFormatOf } from '../../../lib/plt/format.js';

const of = (version: string) => {
  const [major, minor] = version.split('.').map(Number);
  return pltFormatOf({ major: major!, minor: minor! });
};

describe('pltFormatOf', () => {
  it.each([
    ['4.6', 16, 128, 'symbol', 'all', false, 1],
    ['4.11', 16, 128, 'symbol', 'all', false, 1],
    ['4.12', 16, 128, 'previous', 'all', false, 1],
    ['4.19', 16, 64, 'previous', 'all', true, 1],
    ['5.4', 12, 64, 'previous', 'all', true, 1],
    ['5.8', 12, 64, 'previous', 'all', true, 2],
    ['5.10', 12, 64, 'previous', 'branches', true, 2],
    ['6.1', 12, 64, 'previous', 'branches', true, 2],
    ['6.12', 12, 64, 'previous', 'branches', true, 1],
    ['7.3', 12, 64, 'previous', 'branches', true, 1],
  ] as const)('%s', (version, size, alignment, reuse, sorted, veneers, ftraceEntries) => {
    const format = of(version);
    expect(format.entry.size).toBe(size);
    expect(format).toMatchObject({ alignment, reuse, sorted, veneers, ftraceEntries });
  });

  it('knows no PLT before 4.6', () => {
    expect(() => of('4.5')).toThrow(PltError);
    expect(() => of('3.18')).toThrow('modules of Linux 3.18 have no PLT');
  });

  it('lists the formats from old to new', () => {
    const keys = PLT_FORMATS.map(({ since }) => since.major * 100 + since.minor);
    expect(keys).toEqual([...keys].sort((a, b) => a - b));
  });
});
