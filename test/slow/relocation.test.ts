/**
 * More than a million relocations against the bigint reference: every type 40,000 times, half of them within 16 bytes of a
 * power of two that could be a bound. The same cases on every run.
 */
import { describe, it } from '@jest/globals';
import seedrandom from 'seedrandom';
import { REFERENCE } from '../support/reference-relocation.js';
import { expectAsReference } from '../support/relocation-case.js';

const CASES = 40_000;
const KERNEL = -0x7fff80000000n;

describe.each(Object.entries(REFERENCE))('type %s', (key, row) => {
  const type = Number(key);
  const random = seedrandom(`relocation ${key}`);
  const word = (): bigint => BigInt(random.int32() >>> 0);
  const bits64 = (): bigint => (word() << 32n) | word();
  const address = (): bigint => {
    const near = KERNEL + BigInt.asIntN(33, bits64());
    return random() < 0.7 ? near : BigInt.asIntN(52, bits64());
  };
  /** An X at one of the powers of two, or anywhere. */
  const value = (): bigint => {
    if (random() < 0.5) return BigInt.asIntN(64, bits64());
    const power = 2n ** BigInt(Math.floor(random() * 64));
    return (random() < 0.5 ? power : -power) + BigInt(Math.floor(random() * 33) - 16);
  };

  it(`${row.name}: ${CASES} cases`, () => {
    for (let i = 0; i < CASES; i++) {
      const [S, P] = [address(), address()];
      // What S + A must be for X to come out: for pages to within a page, the other side of a bound with luck.
      const sum = value() + (row.X(0n, 0n, 1n << 40n) === 0n ? 0n : P);
      expectAsReference({ type, S, A: BigInt.asIntN(64, sum - S), P, before: bits64() });
    }
  });
});
