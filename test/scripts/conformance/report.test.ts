import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import type { BootResult } from '../../../scripts/conformance/boot.js';
import { type Check, CheckBuilder, type Unit } from '../../../scripts/conformance/check.js';
import { countOutcomes, describeBoot, describeRun, markdownReport } from '../../../scripts/conformance/report.js';

function check(name: string, unit: Unit, compared: number, mismatches: readonly string[] = []): Check {
  const builder = new CheckBuilder(name, unit);
  builder.compared = compared;
  for (const mismatch of mismatches) builder.mismatch(() => mismatch);
  if (unit === 'word') builder.explain('device tree address');
  if (unit === 'section') builder.modules = 2;
  return builder.finish();
}

const checks = [check('placement', 'address', 1), check('image', 'word', 4_000_000), check('modules', 'section', 40)];
const good: BootResult = {
  release: '6.1.0-56-arm64',
  cpu: 'cortex-a57',
  seed: 0xfen,
  text: va(-(2 ** 47)),
  checks,
  seconds: 2.5,
};
const other: BootResult = { ...good, cpu: 'max', seed: 1n };
const broken: BootResult = {
  ...good,
  checks: [checks[0]!, check('image', 'word', 8, ['here', 'there'])],
  failure: 'why\nconsole',
};

describe('CheckBuilder', () => {
  it('counts every mismatch and keeps the first twenty', () => {
    const builder = new CheckBuilder('image', 'word');
    for (let i = 0; i < 1000; i++) builder.mismatch(() => `line ${i}`);
    const { mismatchCount, mismatches } = builder.finish();
    expect([mismatchCount, mismatches.length, mismatches.at(-1)]).toEqual([1000, 20, 'line 19']);
  });
});

describe('countOutcomes', () => {
  it('counts checks, and a boot that broke off as one failure more', () => {
    expect(countOutcomes([good, broken])).toEqual({ passed: 4, failed: 2 });
  });

  it('does not pass a check that compared nothing', () => {
    expect(countOutcomes([{ ...good, checks: [check('modules', 'section', 0)] }])).toEqual({ passed: 0, failed: 1 });
  });
});

describe('describeBoot', () => {
  it('says what was compared, and the seed to repeat it with', () => {
    expect(describeBoot(good)).toBe(
      'ok     6.1.0-56-arm64 on cortex-a57, seed 0x00000000000000fe: _text 0xffff800000000000, 4,000,000 words, 0 leaves, 40 sections of 2 modules, 2.5 s',
    );
  });

  it('says what failed', () => {
    const lines = describeBoot(broken).split('\n');
    expect(lines[0]).toMatch(/^FAILED /);
    expect(lines.slice(1)).toEqual([
      '    image: 2 mismatches, 8 compared',
      '      here',
      '      there',
      '    why',
      '    console',
    ]);
  });
});

describe('totals', () => {
  it('are by kernel and CPU, and of all', () => {
    const rows = describeRun([good, good, other])
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    expect(rows.slice(1, 4)).toEqual([
      ['6.1.0-56-arm64', 'cortex-a57', '2', '8,000,000', '0', '4', '80', '0'],
      ['6.1.0-56-arm64', 'max', '1', '4,000,000', '0', '2', '40', '0'],
      ['all', '3', '12,000,000', '0', '6', '120', '0'],
    ]);
    expect(describeRun([good])).toContain('device tree address: 1 in 1 boot');
  });

  it('count mismatches', () => {
    expect(describeRun([broken]).split('\n')[1]).toMatch(/ 2$/);
  });

  it('are a table in Markdown, with every seed', () => {
    const text = markdownReport([good, other], 'QEMU 7.2');
    const table = text.split('\n').filter((line) => line.startsWith('|'));
    expect(new Set(table.slice(0, 5).map((line) => line.split('|').length)).size).toBe(1);
    expect(text).toContain('Booted under QEMU 7.2');
    expect(text).toContain('6 checks passed, 0 failed');
    expect(text).toContain('- 6.1.0-56-arm64 on max: `0x0000000000000001`');
  });
});
