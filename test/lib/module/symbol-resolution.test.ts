import { describe, expect, it } from '@jest/globals';
import { type Va, va } from '../../../lib/address.js';
import { ModuleError } from '../../../lib/errors.js';
import { openModule } from '../../../lib/module/module-file.js';
import { type Resolution, resolveSymbols } from '../../../lib/module/symbol-resolution.js';
import { ALLOC, buildModule, EXEC, LOCAL, type ObjectSymbol, WEAK } from '../../support/object-file.js';
import { codeOf } from '../../support/thrown.js';

const [TEXT, KERNEL] = [va(-0x7fff_0000_0000), va(-0x7fff_8000_0000)];
const [ABS, COMMON, LIVEPATCH] = [0xfff1, 0xfff2, 0xff20];

function resolve(symbols: readonly ObjectSymbol[], resolution: Partial<Resolution> = {}): (Va | undefined)[] {
  const sections = [{ name: '.text', flags: ALLOC | EXEC, data: new Uint8Array(64) }];
  return resolveSymbols(openModule(buildModule({ sections, symbols }), 'built'), {
    lookup: (name) => (name === 'printk' ? KERNEL : undefined),
    sectionAddress: (index) => va(index === 1 ? TEXT : 0),
    ...resolution,
  }).slice(1);
}

describe('resolveSymbols', () => {
  it('adds the section’s address to a defined symbol, keeps an absolute one, looks an undefined one up', () => {
    const symbols = [
      { name: 'f', section: '.text', value: 0x10n },
      { name: 'g', section: '.text', value: 0x20n, bind: LOCAL },
      { name: 'limit', section: ABS, value: 0x1234n },
      { name: 'below', section: ABS, value: -8n },
      { name: 'printk' },
    ];
    expect(resolve(symbols)).toEqual([TEXT + 0x10, TEXT + 0x20, 0x1234, -8, KERNEL]);
  });

  it('does not ask the kernel for what the module defines itself', () => {
    expect(resolve([{ name: 'printk', section: '.text', value: 4n }])).toEqual([TEXT + 4]);
  });

  it('gives 0 to a weak symbol that nobody has, and the address to one that somebody has', () => {
    expect(
      resolve([
        { name: 'nowhere', bind: WEAK },
        { name: 'printk', bind: WEAK },
      ]),
    ).toEqual([0, KERNEL]);
  });

  it('takes a section that is never loaded to be at 0', () => {
    expect(resolve([{ name: 'in_modinfo', section: '.modinfo', value: 5n }])).toEqual([5]);
  });

  it('leaves the symbols of a section that a plan leaves out undefined', () => {
    expect(resolve([{ name: 'f', section: '.text' }, { name: 'printk' }], { sectionAddress: () => undefined })).toEqual(
      [undefined, KERNEL],
    );
  });

  it('leaves a live patch’s symbol to the live patching core', () => {
    expect(resolve([{ name: '.klp.sym.vmlinux.f,0', section: LIVEPATCH, value: 8n }])).toEqual([0]);
  });

  it('lists every missing symbol at once', () => {
    const symbols = [
      { name: 'one' },
      { name: 'printk' },
      { name: 'two' },
      { name: 'weak', bind: WEAK },
      { name: 'three' },
    ];
    const thrown = (() => {
      try {
        return resolve(symbols);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ModuleError);
    expect(thrown).toMatchObject({ code: 'UNDEFINED_SYMBOLS', details: { symbols: ['one', 'two', 'three'] } });
    expect((thrown as Error).message).toBe("unknown symbol 'one', 'two', 'three'");
  });

  it('ends a list that no module can need', () => {
    const symbols = Array.from({ length: 5000 }, (_, i) => ({ name: `missing_${i}` }));
    const listed = (() => {
      try {
        resolve(symbols);
      } catch (error) {
        return (error as ModuleError).details.symbols as string[];
      }
      return [];
    })();
    expect(listed.length).toBeGreaterThan(1000);
    expect(listed.length).toBeLessThan(5000);
  });

  it('refuses a common symbol, and a section that does not exist', () => {
    expect(codeOf(() => resolve([{ name: 'buffer', section: COMMON, value: 8n }]))).toBe('BAD_LAYOUT');
    expect(() => resolve([{ name: 'buffer', section: COMMON }])).toThrow('-fno-common');
    // Sections 0 to 7: null, .text, .modinfo, two PLTs, .symtab, .strtab, .shstrtab.
    expect(codeOf(() => resolve([{ name: 'f', section: 7 }]))).toBeUndefined();
    expect(codeOf(() => resolve([{ name: 'f', section: 8 }]))).toBe('BAD_LAYOUT');
  });
});
