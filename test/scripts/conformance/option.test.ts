import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../cli/output/error.js';
import { MATRICES } from '../../../scripts/conformance/matrix.js';
import { parseOptions } from '../../../scripts/conformance/option.js';

const parse = (line: string) => parseOptions(line.split(' ').filter((word) => word !== ''));

describe('parseOptions', () => {
  it('has defaults for one kernel', () => {
    expect(parse('--kernel vmlinuz')).toMatchObject({
      kernel: 'vmlinuz',
      seeds: 1,
      count: 100,
      timeout: 120,
      selfTest: false,
    });
  });

  it('takes seeds of 64 bits, or how many to draw', () => {
    expect(parse('--kernel k --seed 0xfedcba9876543210 --seed 18446744073709551615')?.seeds).toEqual([
      0xfedcba9876543210n,
      0xffffffffffffffffn,
    ]);
    expect(parse('--kernel k --seeds 3')?.seeds).toBe(3);
  });

  it('takes all modules', () => {
    expect(parse('--kernel k --modules d --count all')?.count).toBe(Number.POSITIVE_INFINITY);
  });

  it('asks for nothing with --help', () => {
    expect(parse('--help')).toBeUndefined();
  });

  it.each([
    ['', 'one of --kernel and --matrix'],
    ['--kernel k --matrix ci', 'one of --kernel and --matrix'],
    ['--matrix toString', "no matrix 'toString'"],
    ['--matrix ci --cpu max', '--matrix says what is booted'],
    ['--matrix ci --seed 1', '--matrix says what is booted'],
    ['--kernel k --seed 1 --seeds 2', 'exclude each other'],
    ['--kernel k --count 5', '--count goes with --modules'],
    ['--kernel k --self-test --markdown f', 'writes no report'],
    ['--kernel k --frobnicate', "'--frobnicate'"],
    ['--kernel k extra', 'extra'],
  ])('refuses "%s"', (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });

  it.each(['--kernel k --seed 0x10000000000000000', '--kernel k --seed x', '--kernel k --timeout soon'])(
    'refuses the number of "%s"',
    (line) => {
      expect(() => parse(line)).toThrow(/64 bits|is not a decimal/);
    },
  );
});

describe('the matrix for every change', () => {
  it('covers an erratum, LPA2 and three seeds of each supported kernel', () => {
    const boots = MATRICES.ci.flatMap(({ kernel, cpu, seeds }) =>
      Array<string>(seeds).fill(`${kernel} ${cpu.split(',')[0]}`),
    );
    expect(boots.sort()).toEqual([
      '6.1 cortex-a53',
      ...Array<string>(3).fill('6.1 cortex-a57'),
      ...Array<string>(3).fill('6.12 cortex-a57'),
      '6.12 max',
    ]);
  });
});
