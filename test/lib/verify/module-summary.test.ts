import { describe, expect, it } from '@jest/globals';
import { openModule } from '../../../lib/module/module-file.js';
import { summarizeModule } from '../../../lib/verify/module-summary.js';
import { ALLOC, buildObject, EXEC, modinfoSection } from '../../support/object-file.js';
import { readObject } from '../../support/raw-object.js';
import { readSample } from '../../support/sample.js';
import { builtModule } from './built-module.js';

const summaryOf = (bytes: Uint8Array) => summarizeModule(openModule(bytes, 'sample'));

describe.each(['4.6/large', '6.1/every_relocation', '6.1/many_calls', '6.1/mixed', '6.12/pic', '6.12/init_only'])(
  'summarizeModule of %s',
  (name) => {
    const { relocations } = summaryOf(readSample(`${name}.ko`));
    const records = readObject(readSample(`${name}.ko`)).relocations;

    it('counts every relocation', () => {
      expect([...relocations.values()].reduce((sum, count) => sum + count, 0)).toBe(records.length);
    });

    it('counts those of one type by its name, the most frequent first', () => {
      const count = (type: number) => records.filter((one) => one.type === type).length;
      expect(relocations.get('R_AARCH64_CALL26') ?? 0).toBe(count(283));
      expect(relocations.get('R_AARCH64_ADR_PREL_PG_HI21') ?? 0).toBe(count(275));
      expect(relocations.get('R_AARCH64_ADR_GOT_PAGE') ?? 0).toBe(count(311));
      expect(relocations.get('R_AARCH64_NONE') ?? 0).toBe(count(0) + count(256));
      const counts = [...relocations.values()];
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
    });
  },
);

describe('summarizeModule', () => {
  it('counts the PLT entries that many_calls.c needs: one for each function that is called, one more if by a jump', () => {
    // Distinct (type, symbol) pairs of branches to other sections, as objdump lists them.
    expect(summaryOf(readSample('6.1/many_calls.ko')).plt).toEqual({ core: { reserved: 62 }, init: { reserved: 10 } });
    expect(summaryOf(readSample('6.12/init_only.ko')).plt.core.reserved).toBe(0);
  });

  it('has one PLT for a module of 4.6, whatever section calls', () => {
    const { core, init } = summaryOf(readSample('4.6/large.ko')).plt;
    expect(init.reserved).toBe(0);
    expect(core.reserved).toBeGreaterThan(62);
  });

  it('names types that nobody knows by their number', () => {
    const { relocations } = summarizeModule(builtModule([{ type: 4711, symbol: 'table' }]));
    expect([...relocations]).toEqual([['R_AARCH64_4711', 1]]);
  });

  const call = { offset: 0, type: 283, symbol: 'printk' };
  const bare = (...modinfo: string[]) =>
    summaryOf(
      buildObject({
        sections: [{ name: '.text', flags: ALLOC | EXEC, data: new Uint8Array(8) }, modinfoSection(...modinfo)],
        symbols: [{ name: 'printk' }],
        relocations: { '.text': [call] },
      }),
    ).plt.core.reserved;

  it('reserves nothing in a module without PLT sections, nor for kernels without PLT', () => {
    expect(bare('name=bare', 'vermagic=6.1.0 SMP')).toBe(0);
    expect(summarizeModule(builtModule([call], { vermagic: '4.4.0 SMP' })).plt.core.reserved).toBe(0);
  });

  it('takes the newest rules for a module that names no kernel', () => {
    expect(summarizeModule(builtModule([{ type: 283, symbol: 'jiffies' }], { vermagic: '' })).plt.core.reserved).toBe(
      1,
    );
  });
});
