import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sortExceptionTable } from '../../../lib/module/exception-table.js';

/** What an entry says, whatever place it stands at. */
interface Entry {
  readonly instruction: number;
  readonly fixup: number;
  readonly typeAndData: number;
}

const ADDRESS = 0x1000;

/** Entries as a module has them, `ADDRESS` being where the table runs. */
function encode(entries: readonly Entry[], size: 8 | 12, tail = 0): Uint8Array {
  const bytes = Buffer.alloc(entries.length * size + tail, 0xee);
  entries.forEach(({ instruction, fixup, typeAndData }, i) => {
    const at = i * size;
    bytes.writeInt32LE(instruction - (ADDRESS + at), at);
    bytes.writeInt32LE(fixup - (ADDRESS + at + 4), at + 4);
    if (size === 12) bytes.writeUInt32LE(typeAndData, at + 8);
  });
  return bytes;
}

const entry = fc.record({
  instruction: fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
  fixup: fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
  typeAndData: fc.nat({ max: 0xffffffff }),
});

describe.each([8, 12] as const)('sortExceptionTable with entries of %i bytes', (size) => {
  it('puts the same entries in the order of their instructions', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { selector: ({ instruction }) => instruction }),
        fc.nat({ max: 7 }),
        (entries, tail) => {
          const table = encode(entries, size, tail);
          sortExceptionTable(table, size);
          const sorted = [...entries].sort((a, b) => a.instruction - b.instruction);
          expect(Buffer.compare(table, encode(sorted, size, tail))).toBe(0);
        },
      ),
    );
  });

  it('leaves an empty table and one shorter than an entry alone', () => {
    for (const length of [0, 7]) {
      const table = new Uint8Array(length).fill(9);
      sortExceptionTable(table, size);
      expect(table).toEqual(new Uint8Array(length).fill(9));
    }
  });

  it('works on a view into a larger buffer', () => {
    const entries = [30, 20, 10].map((instruction) => ({ instruction, fixup: 0, typeAndData: instruction }));
    const whole = new Uint8Array(3 * size + 10).fill(0x55);
    whole.set(encode(entries, size), 5);
    sortExceptionTable(whole.subarray(5, 5 + 3 * size), size);
    const expected = new Uint8Array(3 * size + 10).fill(0x55);
    expected.set(encode([...entries].reverse(), size), 5);
    expect(whole).toEqual(expected);
  });
});
