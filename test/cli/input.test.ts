import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseSystemMap, readConfig, readSystemMap, readText } from '../../cli/input.js';
import { UsageError } from '../../cli/output/error.js';
import { formatVa } from '../../lib/address.js';
import { KaslrkitError } from '../../lib/errors.js';
import { run, runRefused, temporaryFolder } from '../support/cli.js';
import { samplePath } from '../support/sample.js';

const folder = temporaryFolder();
const MIB = 2 ** 20;

function fileOf(size: number): string {
  const file = join(folder, `${size}`);
  writeFileSync(file, 'CONFIG_KASAN=y\n');
  truncateSync(file, size);
  return file;
}

describe('parseSystemMap', () => {
  it('reads addresses by name, the first of each', () => {
    const symbols = parseSystemMap('ffff800008000000 T _text\nffff800008010000 t a.b$c\nFFFF800008020000 D _text\n');
    expect([...symbols].map(([name, address]) => [name, formatVa(address)])).toEqual([
      ['_text', '0xffff800008000000'],
      ['a.b$c', '0xffff800008010000'],
    ]);
  });

  it('passes over constants, which are no addresses of the kernel', () => {
    expect([...parseSystemMap('0000000000001000 A __pecoff\nffff800008000000 T _text').keys()]).toEqual(['_text']);
  });

  it.each([
    ['ffff800008000000 T _text\nffff80000800000 T short\n', 'line 2'],
    ['ffff800008000000 T _text\n\nffff800008000000 T\n', 'line 3'],
    ['ffff800008000000 T two names', 'line 1'],
    [' ffff800008000000 T _text', 'line 1'],
    ['0000000000000000 t _text\n', 'no symbols'],
    ['', 'no symbols'],
  ])('refuses %j', (text, named) => {
    expect(() => parseSystemMap(text)).toThrow(UsageError);
    expect(() => parseSystemMap(text)).toThrow(named);
  });

  it('makes symbols or an error of whatever it reads', () => {
    const part = fc.oneof(
      fc.constantFrom('ffff800008000000', ' ', 'T', '_text', '\n', '\r\n', '8000000000000000'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        try {
          expect(parseSystemMap(parts.join('')).size).toBeGreaterThan(0);
        } catch (error) {
          expect(error instanceof UsageError || error instanceof KaslrkitError).toBe(true);
        }
      }),
    );
  });
});

describe('a text', () => {
  it('is read up to 16 MiB, and refused beyond', () => {
    expect(readText(fileOf(16 * MIB))).toHaveLength(16 * MIB);
    expect(() => readText(fileOf(16 * MIB + 1))).toThrow(UsageError);
  });

  it('that no string can hold is bad input, not a bug', async () => {
    const huge = fileOf(600 * MIB);
    await expect(readConfig(huge)).rejects.toThrow(`${huge}: is no text of its kind: larger than 16 MiB`);
    await expect(readSystemMap(huge)).rejects.toThrow(`${huge}: is no text of its kind: larger than 128 MiB`);
  });

  it('is measured as it comes where it comes through a pipe', () => {
    const input = Buffer.alloc(16 * MIB + 1, '\n');
    input.write('CONFIG_KASAN=y\n', 1);
    const place = ['place', samplePath('6.1/Image'), '--seed', '1', '--config', '-'];
    expect(runRefused(place, { input })).toBe('-: is no text of its kind: larger than 16 MiB');
    expect(run(place, { input: input.subarray(1) }).status).toBe(0);
  });
});
