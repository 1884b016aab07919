import { describe, expect, it } from '@jest/globals';
import { parseModinfo } from '../../../lib/module/modinfo.js';
import { codeOf } from '../../support/thrown.js';

const parse = (...strings: string[]) =>
  parseModinfo(Buffer.from(strings.map((text) => `${text}\0`).join(''), 'latin1'));

describe('parseModinfo', () => {
  it('reads the keys that matter', () => {
    expect(parse('license=GPL', 'depends=libcrc32c,a_b', 'name=xfs', 'vermagic=6.1.0 SMP mod_unload')).toEqual({
      name: 'xfs',
      vermagic: '6.1.0 SMP mod_unload',
      depends: ['libcrc32c', 'a_b'],
      isLivepatch: false,
    });
  });

  it('gives nothing where nothing is', () => {
    const empty = { name: undefined, vermagic: undefined, depends: [], isLivepatch: false };
    expect(parse()).toEqual(empty);
    expect(parse('depends=')).toEqual(empty);
    expect(parse('', '', 'no pair', '=value')).toEqual(empty);
  });

  it('takes the first of a key, as the kernel does, and the first = of a pair', () => {
    expect(parse('name=first', 'name=second').name).toBe('first');
    expect(parse('vermagic=a=b').vermagic).toBe('a=b');
  });

  it('pads between pairs as linkers do, and needs no NUL at the end', () => {
    const { name, depends } = parseModinfo(Buffer.from('name=m\0\0\0\0depends=a,,b'));
    expect([name, depends]).toEqual(['m', ['a', 'b']]);
  });

  it('knows a live patch by its key alone', () => {
    expect(parse('livepatch=Y').isLivepatch).toBe(true);
    expect(parse('livepatchable=Y').isLivepatch).toBe(false);
  });

  it('refuses to split megabytes', () => {
    expect(parseModinfo(new Uint8Array(2 ** 20)).depends).toEqual([]);
    expect(codeOf(() => parseModinfo(new Uint8Array(2 ** 20 + 1)))).toBe('NOT_A_MODULE');
  });
});
