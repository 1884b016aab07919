import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openKernel } from '../../../lib/image/kernel.js';
import { findVaBits } from '../../../lib/image/va-bits.js';
import { readSample, SAMPLE_KERNELS } from '../../support/sample.js';

/** Encoded from the diagrams of the Arm ARM. */
const adrp = (rd: number, pages: number): number =>
  (0x90000000 | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5) | rd) >>> 0;
const add = (rd: number, rn: number, imm12: number): number => (0x91000000 | (imm12 << 10) | (rn << 5) | rd) >>> 0;
const movz = (rd: number, imm16: number): number => (0xd2800000 | (imm16 << 5) | rd) >>> 0;
const NOP = 0xd503201f;

const SIZE = 0x8000;

/** An image with the string and, from word `at` on, the code. */
function build(string: number, at: number, code: readonly number[]): Uint8Array {
  const image = Buffer.alloc(SIZE);
  image.write('\0VA_BITS\0', string - 1, 'latin1');
  code.forEach((word, i) => {
    image.writeUInt32LE(word, (at + i) * 4);
  });
  return new Uint8Array(image.buffer, image.byteOffset, image.length);
}

describe('findVaBits', () => {
  it('finds the constant beside the code that takes the string’s address, wherever both are', () => {
    const bits = fc.constantFrom(36, 39, 42, 47, 48, 52);
    fc.assert(
      fc.property(
        bits,
        fc.integer({ min: 0x4001, max: SIZE - 16 }),
        fc.integer({ min: 16, max: 0xf00 }),
        fc.nat(30),
        fc.boolean(),
        (value, string, at, rd, first) => {
          const pages = Math.floor(string / 4096) - Math.floor((at * 4) / 4096);
          const take = [adrp(rd, pages), add(1, rd, string % 4096)];
          fc.pre(Math.floor((at * 4) / 4096) === Math.floor((at * 4 + 4) / 4096));
          const code = first ? [movz(2, value), NOP, ...take] : [...take, NOP, movz(2, value)];
          const shift = first ? 2 : 0;
          expect(findVaBits(build(string, at - shift, code))).toBe(value);
        },
      ),
    );
  });

  const string = 0x5008;
  const load = [adrp(0, 5), add(1, 0, 8)];

  it.each([
    ['a value that is no VA_BITS', [...load, movz(2, 16)]],
    ['another register', [...load, movz(3, 48)]],
    ['the address of something else on the page', [adrp(0, 5), add(1, 0, 9), movz(2, 48)]],
    ['another page', [adrp(0, 4), add(1, 0, 8), movz(2, 48)]],
    ['an ADD of another register', [adrp(0, 5), add(1, 3, 8), movz(2, 48)]],
    ['a constant far away', [...load, ...new Array<number>(20).fill(NOP), movz(2, 48)]],
    ['no code', []],
  ])('is not taken in by %s', (_, code) => {
    expect(findVaBits(build(string, 16, code))).toBeUndefined();
  });

  it('passes over a first string that no code uses', () => {
    const image = build(string, 16, [...load, movz(2, 52)]);
    image.set(Buffer.from('VA_BITS\0'), 0x4000);
    expect(findVaBits(image)).toBe(52);
  });

  it('finds nothing in an image without the string', () => {
    expect(findVaBits(new Uint8Array(SIZE))).toBeUndefined();
    expect(findVaBits(new Uint8Array(0))).toBeUndefined();
  });

  it.each(SAMPLE_KERNELS)('finds that of the compiler’s code in the $style sample', async ({ style, image }) => {
    const kernel = await openKernel(readSample(image));
    expect(findVaBits(kernel.image)).toBe(style === '6.12' ? 52 : 48);
  });
});
