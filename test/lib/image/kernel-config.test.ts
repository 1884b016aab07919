import { describe, expect, it } from '@jest/globals';
import { parseKernelConfig } from '../../../lib/image/kernel-config.js';
import { codeOf } from '../../support/thrown.js';

describe('parseKernelConfig', () => {
  it('reads what is on, and what is not mentioned or commented out as off', () => {
    const text = [
      '#',
      '# Linux/arm64 6.1.0 Kernel Configuration',
      'CONFIG_RANDOMIZE_MODULE_REGION_FULL=y',
      'CONFIG_KALLSYMS=y',
      'CONFIG_KALLSYMS_ALL=m',
      '# CONFIG_KASAN is not set',
      '#CONFIG_MODULE_UNLOAD=y',
      'CONFIG_ARM64_VA_BITS=48',
      'CONFIG_LOCALVERSION=""',
    ].join('\n');
    expect(parseKernelConfig(text)).toEqual({
      fullRegion: true,
      kasan: false,
      vaBits: 48,
      kallsymsAll: false,
      kallsyms: true,
      moduleUnload: false,
    });
  });

  it('reads lines that end as on Windows', () => {
    expect(parseKernelConfig('CONFIG_KASAN=y\r\nCONFIG_ARM64_VA_BITS=52\r\n')).toMatchObject({
      kasan: true,
      vaBits: 52,
    });
  });

  it.each([
    'CONFIG_ARM64_VA_BITS=0',
    'CONFIG_ARM64_VA_BITS=many',
    'CONFIG_ARM64_VA_BITS=',
    'CONFIG_ARM64_VA_BITS_48=y',
  ])('takes no VA bits from %s', (line) => {
    expect(parseKernelConfig(line).vaBits).toBeUndefined();
  });

  it.each(['', 'hello', '\x7fELF\x02\x01', '# CONFIG_KASAN is not set'])(
    'refuses a file that sets nothing: %j',
    (text) => {
      expect(codeOf(() => parseKernelConfig(text))).toBe('BAD_TABLE');
    },
  );
});
