/** Bit fields and alignment of numbers up to 2^53, without bigint. */

/** Bits `[msb:lsb]` of the 32-bit word `x`, as an unsigned number. */
export function bits(x: number, msb: number, lsb: number): number {
  return (x << (31 - msb)) >>> (31 - msb + lsb);
}

/** The low `width` (1..32) bits of `x` read as two's complement. */
export function signExtend(x: number, width: number): number {
  return (x << (32 - width)) >> (32 - width);
}

/** The least multiple of `align` (any positive number) that is not below `x`; exact for |x| up to 2^53. */
export function alignUp(x: number, align: number): number {
  return Math.ceil(x / align) * align;
}

/** The greatest multiple of `align` (any positive number) that is not above `x`; exact for |x| up to 2^53. */
export function alignDown(x: number, align: number): number {
  return Math.floor(x / align) * align;
}

/** Math.log2 alone rounds: it gives 49 for 2^49 + 1 as well. */
export function isPowerOfTwo(x: number): boolean {
  return x >= 1 && 2 ** Math.round(Math.log2(x)) === x;
}
