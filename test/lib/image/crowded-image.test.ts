/**
 * Images full of what a search looks for. Each search is bounded; without its bound these few megabytes take minutes or gigabytes,
 * which the time limit of a test is there to notice.
 */
import { describe, expect, it } from '@jest/globals';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { readSample } from '../../support/sample.js';
import { codeOf } from '../../support/thrown.js';

const SIZE = 4 * 2 ** 20;
const DIGITS = Array.from('0123456789', (digit) => `${digit}\0`).join('');

/** The sample kernel without kallsyms and VA_BITS of its own, and 4 MiB behind it that `fill` writes. */
async function crowded(fill: (bytes: Buffer, start: number) => void): Promise<Kernel> {
  const sample = readSample('6.1/Image');
  for (const word of [DIGITS, 'VA_BITS\0']) sample[sample.indexOf(word, 0, 'latin1')] = 0x41;
  const start = Math.ceil(sample.length / 8) * 8;
  const bytes = Buffer.alloc(start + SIZE);
  sample.copy(bytes);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 16);
  fill(bytes, start);
  return openKernel(bytes);
}

const fillWith = (text: string) => (bytes: Buffer, start: number) => bytes.fill(text, start, bytes.length, 'latin1');

/** A token table that its index agrees with, as often as it fits. */
function fillWithTokenTables(bytes: Buffer, start: number): void {
  const tokens = Array.from({ length: 256 }, (_, i) => (i >= 0x30 && i < 0x3a ? `${String.fromCharCode(i)}\0` : 'a\0'));
  const index = Buffer.alloc(512);
  tokens.reduce((at, token, i) => {
    index.writeUInt16LE(at, 2 * i);
    return at + token.length;
  }, 0);
  const unit = Buffer.concat([Buffer.from(tokens.join(''), 'latin1'), index]);
  for (let at = start; at + unit.length <= bytes.length; at += unit.length) unit.copy(bytes, at);
}

/** Entries of __ksymtab that all have the same name of 511 letters. */
function fillWithExports(bytes: Buffer, start: number): void {
  bytes.fill('z', start, start + 511);
  for (let at = start + 1024; at + 12 <= bytes.length; at += 12) {
    bytes.writeInt32LE(-at, at);
    bytes.writeInt32LE(start - (at + 4), at + 4);
  }
}

describe('an image full of', () => {
  it('the name VA_BITS opens, its VA bits taken from the link address', async () => {
    const kernel = await crowded(fillWith('VA_BITS\0'));
    expect([kernel.vaBits, kernel.banner.release]).toEqual([48, '6.1.0-kaslrkit']);
  });

  it.each([
    ['digits', fillWith(DIGITS)],
    ['token tables', fillWithTokenTables],
    ['zeros', fillWith('\0')],
  ])('%s has no symbols, but its exports', async (_, fill) => {
    const kernel = await crowded(fill);
    expect(codeOf(() => kernel.symbols())).toBe('NO_SYMBOLS');
    expect(kernel.exports().has('sample_print')).toBe(true);
  });

  it('exports with one long name has few of them', async () => {
    expect((await crowded(fillWithExports)).exports().size).toBeLessThan(100);
  });

  it('bytes that call themselves 2 GiB is no larger than its file', async () => {
    const sample = readSample('6.1/Image');
    sample.writeBigUInt64LE(2n ** 31n - 1n, 16);
    const kernel = await openKernel(sample);
    expect([kernel.imageSize, kernel.image.length]).toEqual([2 ** 31 - 1, sample.length]);
    expect(kernel.exports().get('sample_print')).toBe(
      (await openKernel(readSample('6.1/Image'))).exports().get('sample_print'),
    );
    sample.writeBigUInt64LE(2n ** 31n, 16);
    await expect(openKernel(sample)).rejects.toMatchObject({ code: 'BAD_TABLE' });
  });
});
