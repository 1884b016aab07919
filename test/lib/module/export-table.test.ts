import { describe, expect, it } from '@jest/globals';
import { type Va, va } from '../../../lib/address.js';
import { readExports } from '../../../lib/module/export-table.js';
import type { LoadedSection } from '../../../lib/module/loaded-module.js';
import { loaderRuleOf } from '../../../lib/module/loader-rule.js';

const [TABLE, STRINGS, TEXT] = [va(-0x7fff_0000_0000), va(-0x7fff_0000_1000), va(-0x7fff_0010_0000)];
const NAMES = '\0open_file\0close_file\0';
const [OPEN, CLOSE] = [STRINGS + 1, STRINGS + 11];

const section = (name: string, address: Va, bytes: Uint8Array): LoadedSection => ({
  index: 1,
  name,
  address,
  bytes,
  sh_flags: 2,
  sh_addralign: 8,
});
const strings = section('__ksymtab_strings', STRINGS, Buffer.from(NAMES, 'latin1'));

/** An array of struct kernel_symbol as that kernel has it. */
function table(
  version: { major: number; minor: number },
  entries: readonly { value: number; name: number }[],
  name = '__ksymtab',
) {
  const { entrySize, isRelative } = loaderRuleOf(version).ksymtab;
  const bytes = Buffer.alloc(entries.length * entrySize, 0xcc);
  entries.forEach((entry, i) => {
    const at = i * entrySize;
    if (isRelative) {
      bytes.writeInt32LE(entry.value - (TABLE + at), at);
      bytes.writeInt32LE(entry.name - (TABLE + at + 4), at + 4);
    } else {
      bytes.writeBigInt64LE(BigInt(entry.value), at);
      bytes.writeBigInt64LE(BigInt(entry.name), at + 8);
    }
  });
  return section(name, TABLE, bytes);
}

describe.each([
  [4, 9, 16],
  [4, 18, 16],
  [4, 19, 8],
  [5, 3, 8],
  [5, 4, 12],
  [6, 12, 12],
])('readExports of Linux %i.%i', (major, minor, size) => {
  const version = { major, minor };
  const rule = loaderRuleOf(version);

  it(`reads entries of ${size} bytes`, () => {
    const both = table(version, [
      { value: TEXT, name: OPEN },
      { value: TEXT + 64, name: CLOSE },
    ]);
    expect(both.bytes.length).toBe(2 * size);
    expect([...readExports([both, strings], rule)]).toEqual([
      ['open_file', TEXT],
      ['close_file', TEXT + 64],
    ]);
  });

  it('passes over names outside the module, empty ones and half an entry', () => {
    const odd = table(version, [
      { value: TEXT, name: STRINGS },
      { value: TEXT, name: STRINGS - 1 },
      { value: TEXT, name: STRINGS + NAMES.length },
      { value: TEXT, name: CLOSE },
    ]);
    const cut = { ...odd, bytes: odd.bytes.subarray(0, 4 * size - 1) };
    expect([...readExports([odd, strings], rule)]).toEqual([['close_file', TEXT]]);
    expect(readExports([cut, strings], rule).size).toBe(0);
  });

  it('reads __ksymtab_gpl too, and takes the first of a name', () => {
    const first = table(version, [{ value: TEXT, name: OPEN }]);
    const both = [OPEN, CLOSE].map((name) => ({ value: TEXT + 4, name }));
    const gpl = table(version, both, '__ksymtab_gpl');
    expect([...readExports([first, gpl, strings], rule)]).toEqual([
      ['open_file', TEXT],
      ['close_file', TEXT + 4],
    ]);
  });
});

describe('readExports', () => {
  const rule = loaderRuleOf({ major: 6, minor: 1 });

  it('finds nothing in a module without the sections', () => {
    expect(readExports([strings], rule).size).toBe(0);
  });

  it('passes over a name that never ends, and one longer than any symbol’s', () => {
    const entry = table({ major: 6, minor: 1 }, [{ value: TEXT, name: OPEN }]);
    const named = (text: string) =>
      readExports([entry, section('__ksymtab_strings', STRINGS, Buffer.from(text))], rule).size;
    expect([named('\0open_file'), named(`\0${'x'.repeat(512)}\0`), named(`\0${'x'.repeat(511)}\0`)]).toEqual([0, 0, 1]);
  });
});
