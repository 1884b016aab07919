import { describe, expect, it } from '@jest/globals';
import { openModule } from '../../../lib/module/module-file.js';
import { codeModelOf } from '../../../lib/verify/code-model.js';
import { readSample } from '../../support/sample.js';
import { type BuiltReference, builtModule } from './built-module.js';

/** How each sample was compiled: samples/README.md. */
const SAMPLES = {
  '4.6/large': 'large',
  '4.6/exporter': 'small',
  '6.1/large': 'large',
  '6.1/large_literal': 'large',
  '6.1/large_movw': 'large',
  '6.1/mixed': 'large',
  '6.1/pic': 'pic',
  '6.1/many_calls': 'small',
  '6.1/erratum': 'small',
  '6.1/percpu': 'small',
  '6.12/large': 'large',
  '6.12/large_literal': 'large',
  '6.12/large_movw': 'large',
  '6.12/pic': 'pic',
  '6.12/init_only': 'small',
};

describe('codeModelOf', () => {
  it.each(Object.entries(SAMPLES))('tells that %s is %s', (name, model) => {
    expect(codeModelOf(openModule(readSample(`${name}.ko`), 'sample'))).toBe(model);
  });

  const modelOf = (...references: BuiltReference[]) => codeModelOf(builtModule(references));
  const group = [264, 266, 268, 269].map((type, i) => ({ offset: 4 * i, type, symbol: 'jiffies' }));
  const adrp: BuiltReference = { offset: 0x20, type: 275, symbol: 'jiffies' };
  const pool: BuiltReference = { offset: 0x30, type: 257, symbol: 'jiffies' };

  it('takes calls and tables of addresses for no model at all', () => {
    expect(modelOf({ type: 283, symbol: 'jiffies' }, { section: '.rodata', type: 257, symbol: 'jiffies' })).toBe(
      'none',
    );
  });

  it('counts a MOVW group once, however many parts it has', () => {
    expect(modelOf(...group)).toBe('large');
    expect(modelOf(...group, adrp)).toBe('large');
    expect(modelOf(...group, adrp, { ...adrp, section: '.init.text' })).toBe('small');
  });

  it('takes an ADRP to a pool for the large model, to other code of the section for the small one', () => {
    const toPool = { ...adrp, symbol: 'start', addend: 0x30n };
    expect(modelOf(pool, toPool, { ...toPool, offset: 0x24 })).toBe('large');
    expect(modelOf({ ...toPool, addend: 0x38n })).toBe('small');
  });

  it('knows a pool of constants by its mapping symbols', () => {
    const to = (addend: bigint) => modelOf({ ...adrp, symbol: 'start', addend });
    expect([0x17cn, 0x180n, 0x18cn, 0x190n].map(to)).toEqual(['small', 'none', 'none', 'small']);
  });

  it('ignores what is not loaded', () => {
    expect(modelOf({ section: '.debug_info', type: 311, symbol: 'jiffies' })).toBe('none');
  });
});
