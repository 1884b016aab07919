import { describe, expect, it } from '@jest/globals';
import { findBanner } from '../../../lib/image/banner.js';
import { codeOf } from '../../support/thrown.js';

const find = (text: string) => findBanner(Buffer.from(text, 'latin1'));

describe('findBanner', () => {
  it.each([
    ['4.6.0', 4, 6],
    ['5.10.0-32-arm64', 5, 10],
    ['6.12.107+deb13-arm64-16k', 6, 12],
    ['7.0-rc1', 7, 0],
    ['6.6.87.2-microsoft-standard-WSL2', 6, 6],
  ])('reads %s', (release, major, minor) => {
    expect(find(`xx\0Linux version ${release} (builder@host) #1 SMP\n`)).toEqual({ release, major, minor });
  });

  it('passes over the format string and prose that begin alike', () => {
    const decoys = 'Linux version %s (%s)\0Linux version is unknown\0Linux version 6\0';
    expect(find(`${decoys}Linux version 6.1.0-test (x)\n`).release).toBe('6.1.0-test');
    expect(codeOf(() => find(decoys))).toBe('NO_VERSION');
  });

  it('takes a release of 64 characters, which is all that uname has room for, and no longer one', () => {
    const release = (length: number): string => `6.1.${'0'.repeat(length - 4)}`;
    expect(find(`Linux version ${release(64)} (x)`).release).toBe(release(64));
    expect(codeOf(() => find(`Linux version ${release(65)} (x)`))).toBe('NO_VERSION');
  });

  it('finds none at the very end of a file or in an empty one', () => {
    expect(codeOf(() => find('Linux version '))).toBe('NO_VERSION');
    expect(codeOf(() => find(''))).toBe('NO_VERSION');
  });
});
