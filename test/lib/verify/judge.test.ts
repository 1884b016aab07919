import { describe, expect, it } from '@jest/globals';
import { type Finding, verifyModule } from '../../../lib/verify/verify.js';
import { codeOf } from '../../support/thrown.js';
import { type BuiltReference, builtModule } from './built-module.js';

const MIB = 2 ** 20;

interface Row {
  readonly name: string;
  readonly reference: BuiltReference;
  readonly large: string | undefined;
  readonly small: string | undefined;
}

const row = (name: string, reference: BuiltReference, large?: string, small?: string): Row => ({
  name,
  reference,
  large,
  small,
});

/** What each kind of reference is under either model: `severity kind rule`. */
const ROWS: readonly Row[] = [
  row('a call to the kernel', { type: 283, symbol: 'jiffies' }),
  row('a tail call to the kernel', { type: 282, symbol: 'jiffies' }),
  row('a call into another section', { type: 283, symbol: 'setup' }),
  row(
    'a call in data',
    { section: '.rodata', type: 283, symbol: 'jiffies' },
    'error range branchWithoutPlt',
    'error range branchWithoutPlt',
  ),
  row('a relocation that does nothing', { type: 256, symbol: 'jiffies' }),

  row('64 absolute bits', { section: '.rodata', type: 257, symbol: 'jiffies' }),
  row('64 relative bits', { section: '.rodata', type: 260, symbol: 'jiffies' }),
  row(
    '32 absolute bits of an address',
    { section: '.rodata', type: 258, symbol: 'jiffies' },
    'error range narrowAbsolute',
    'error range narrowAbsolute',
  ),
  row('32 absolute bits of a checksum', { section: '.rodata', type: 258, symbol: 'checksum' }),
  row(
    '16 absolute bits of a checksum',
    { section: '.rodata', type: 259, symbol: 'checksum' },
    'error range outOfRange',
    'error range outOfRange',
  ),
  row(
    'a checked MOVZ of 48 bits',
    { type: 267, symbol: 'jiffies', word: 0xd2c00000 },
    'error range narrowAbsolute,error range brokenGroup',
    'error range narrowAbsolute',
  ),
  row('a checked MOVZ of a checksum', { type: 265, symbol: 'checksum' }),

  row('an ADRP to the kernel', { type: 275, symbol: 'jiffies' }, 'error external externalPage'),
  row('an unchecked ADRP to the kernel', { type: 276, symbol: 'jiffies' }, 'error external externalPage'),
  row('an ADRP to a per-CPU variable', { type: 275, symbol: 'counter' }, 'error external externalPage'),
  row('an ADRP to what is not loaded', { type: 275, symbol: 'note' }, 'error external externalPage'),
  row(
    'an ADRP to an absolute symbol',
    { type: 275, symbol: 'checksum' },
    'error external externalPage',
    'error external externalPage',
  ),
  row(
    'an ADRP to a weak symbol',
    { type: 275, symbol: 'maybe' },
    'error external externalPage',
    'note external weakTarget',
  ),
  row('an ADRP to another section', { type: 275, symbol: 'table' }, 'note local localReference'),
  row('an ADRP within the section', { type: 275, symbol: 'next' }, 'note local localReference'),
  row('an ADRP to a literal pool', { type: 275, symbol: 'start', addend: 0x188n }, 'note literal-pool literalPool'),
  row('the low bits that follow an ADRP', { type: 277, symbol: 'jiffies' }),

  row(
    '32 relative bits to the kernel',
    { section: '.rodata', type: 261, symbol: 'jiffies' },
    'error external externalPrel32',
    'note range window',
  ),
  row('32 relative bits to another section', { section: '.rodata', type: 261, symbol: 'start' }),
  row(
    '16 relative bits to another section',
    { section: '.rodata', type: 262, symbol: 'start' },
    'error range shortReach',
    'error range shortReach',
  ),
  row(
    'a conditional branch to the kernel',
    { type: 280, symbol: 'jiffies' },
    'error external externalShort',
    'error external externalShort',
  ),
  row('an ADR to another section', { type: 274, symbol: 'table' }, 'error range shortReach', 'error range shortReach'),
  row('all 64 bits by MOVW_PREL', { type: 293, symbol: 'jiffies' }),
  row('48 signed bits by MOVW_PREL, more than any distance', { type: 291, symbol: 'jiffies' }),
  row('32 signed bits by MOVW_PREL', { type: 289, symbol: 'jiffies' }, 'error external externalPage'),

  row('a GOT page', { type: 311, symbol: 'jiffies' }, 'error got got', 'error got got'),
  row('a GOT entry', { type: 312, symbol: 'next' }, 'error got got', 'error got got'),
  row(
    'thread-local storage',
    { type: 549, symbol: 'jiffies' },
    'error external unsupportedType',
    'error external unsupportedType',
  ),
  row(
    'a type nobody knows',
    { type: 4711, symbol: 'table' },
    'error local unsupportedType',
    'error local unsupportedType',
  ),
];

function judged(references: readonly BuiltReference[], model: 'large' | 'small', allowAdrp = true): readonly Finding[] {
  return verifyModule(builtModule(references), { model, allowAdrp }).findings;
}

const names = (findings: readonly Finding[]): string | undefined =>
  findings.map(({ severity, kind, rule }) => `${severity} ${kind} ${rule}`).join() || undefined;

describe('one reference', () => {
  it.each(ROWS)('$name', ({ reference, large, small }) => {
    expect({ large: names(judged([reference], 'large')), small: names(judged([reference], 'small')) }).toEqual({
      large,
      small,
    });
  });

  it.each(ROWS.filter(({ reference: { type } }) => type === 275 || type === 276))(
    '$name, where no ADRP is allowed',
    ({ reference }) => {
      for (const model of ['large', 'small'] as const) {
        expect(names(judged([reference], model, false))).toMatch(/^error (external|local|literal-pool) /);
      }
    },
  );

  it('is judged by its distance where that is fixed, on both sides of both bounds', () => {
    // LD_PREL_LO19, ADR_PREL_LO21 and CONDBR19 reach [-1 MiB, 1 MiB), TSTBR14 [-32 KiB, 32 KiB); the place is at 0x100.
    const at = (type: number, X: number) =>
      names(judged([{ offset: 0x100, type, symbol: 'start', addend: BigInt(X + 0x100) }], 'small'));
    for (const [type, reach] of [
      [273, MIB],
      [274, MIB],
      [280, MIB],
      [279, 2 ** 15],
      [283, 2 ** 27],
    ] as const) {
      expect([-reach - 1, -reach, reach - 1, reach].map((X) => at(type, X))).toEqual([
        'error range outOfRange',
        undefined,
        undefined,
        'error range outOfRange',
      ]);
    }
  });

  it('names the function it is in, and its target with the addend', () => {
    const [finding] = judged([{ offset: 0x44, type: 275, symbol: 'jiffies', addend: -8n }], 'large');
    expect(finding).toMatchObject({ section: '.text', offset: 0x44, function: 'next', symbol: 'jiffies', addend: -8n });
    expect(finding!.message).toMatch(/^R_AARCH64_ADR_PREL_PG_HI21 \(275\) to 'jiffies-0x8' leaves the module/);
  });
});

it('a relocation of a symbol that does not exist is an error of the file', () => {
  expect(codeOf(() => judged([{ type: 275, symbol: 1000 }], 'large'))).toBe('BAD_SYMBOL');
});
