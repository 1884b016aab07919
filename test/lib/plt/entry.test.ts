import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Va, va } from '../../../lib/address.js';
import { PltError } from '../../../lib/errors.js';
import {
  ADRP_ENTRY,
  BREAK_FAULT,
  type EntryKind,
  MOVN_ENTRY,
  writeEntry,
  writeVeneer,
} from '../../../lib/plt/entry.js';
import { run } from '../../support/a64-interpreter.js';

const KERNEL = -0x800000000000 + 0x10000000;
const GIB = 2 ** 30;

const hex = (words: readonly number[]): string[] => words.map((word) => word.toString(16).padStart(8, '0'));

function bytesOf(words: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, index) => void view.setUint32(4 * index, word, true));
  return new Uint8Array(view.buffer);
}

/** Memory for an entry at `place`, and its words. */
function memory(kind: EntryKind, place: number) {
  const bytes = new Uint8Array(kind.size);
  const entry = { view: new DataView(bytes.buffer), offset: 0, place: va(place) };
  const words = () => Array.from({ length: kind.size / 4 }, (_, i) => entry.view.getUint32(4 * i, true));
  return { bytes, entry, words };
}

function entryWords(kind: EntryKind, { destination, place }: { destination: Va; place: Va }): number[] {
  const { entry, words } = memory(kind, place);
  writeEntry(kind, entry, destination);
  return words();
}

function veneerWords(kind: EntryKind, { place, ...veneer }: { rd: number; page: Va; place: Va; next: Va }): number[] {
  const { entry, words } = memory(kind, place);
  writeVeneer(kind, entry, veneer);
  return words();
}

function placed(kind: EntryKind, place: number, destination: number) {
  const { entry } = memory(kind, place);
  writeEntry(kind, entry, va(destination));
  return entry;
}

describe('writeEntry', () => {
  it('writes the words of other linkers for a far call', () => {
    const words = entryWords(ADRP_ENTRY, { destination: va(0x8001000), place: va(0x1010) });
    expect(hex(words)).toEqual(['90040010', '91000210', 'd61f0200']);
  });

  it('writes 48 bits by MOVN and MOVK before 5.0', () => {
    // As GNU as assembles movn x16, #0x4321; movk x16, #0x1234, lsl 16; movk x16, #0x800, lsl 32; br x16.
    const words = entryWords(MOVN_ENTRY, { destination: va(-0xf7ffedcb4322), place: va(0) });
    expect(hex(words)).toEqual(['92886430', 'f2a24690', 'f2c10010', 'd61f0200']);
  });

  it('keeps the ADRP within 4 GiB and writes a BRK beyond, as the kernel does', () => {
    const first = (distance: number) =>
      entryWords(ADRP_ENTRY, { destination: va(KERNEL + distance), place: va(KERNEL) })[0];
    expect(first(4 * GIB - 1)).not.toBe(BREAK_FAULT);
    expect(first(4 * GIB)).toBe(BREAK_FAULT);
    expect(first(-4 * GIB)).not.toBe(BREAK_FAULT);
    expect(first(-4 * GIB - 1)).toBe(BREAK_FAULT);
    // 32 bits of page distance: 2^44 bytes look like none.
    expect(first(2 ** 44)).toBe(first(0));
  });

  it.each([
    ['ADRP', ADRP_ENTRY],
    ['MOVN', MOVN_ENTRY],
  ] as const)('%s entries lead to their destination and decode to it', (_, kind) => {
    const offset = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(offset, offset, (at, to) => {
        const [place, destination] = [KERNEL + (at & ~3), KERNEL + to];
        const words = entryWords(kind, { destination: va(destination), place: va(place) });
        expect(words).toHaveLength(kind.size / 4);
        const memory = { address: BigInt(place), bytes: bytesOf(words) };
        expect(run([memory], BigInt(place), BigInt(destination)).pc).toBe(BigInt(destination));
        expect(kind.destination(placed(kind, place, destination))).toBe(destination);
      }),
    );
  });

  it('decodes nothing from what does not begin with an ADRP', () => {
    const entry = placed(ADRP_ENTRY, KERNEL, KERNEL);
    entry.view.setUint32(0, BREAK_FAULT, true);
    expect(ADRP_ENTRY.destination(entry)).toBeUndefined();
  });
});

describe('equal', () => {
  const same = (a: [number, number], b: [number, number], kind = ADRP_ENTRY) =>
    kind.equal(placed(kind, ...a), placed(kind, ...b));

  it('compares where ADRP entries lead, not their words', () => {
    expect(same([KERNEL, KERNEL + 0x12345], [KERNEL + 12, KERNEL + 0x12345])).toBe(true);
    expect(same([KERNEL + 4092, KERNEL + GIB], [KERNEL + 4104, KERNEL + GIB])).toBe(true);
    expect(same([KERNEL, KERNEL + 8], [KERNEL + 12, KERNEL + 4104])).toBe(false);
    expect(same([KERNEL, KERNEL + 8], [KERNEL + 4096, KERNEL + 4104])).toBe(false);
    expect(same([KERNEL, KERNEL + 8], [KERNEL + 12, KERNEL + 12])).toBe(false);
  });

  it('takes no veneer for an entry', () => {
    const entry = placed(ADRP_ENTRY, KERNEL, KERNEL + 8192);
    const veneer = placed(ADRP_ENTRY, KERNEL + 12, KERNEL + 8192);
    veneer.view.setUint32(8, 0x14000000, true);
    expect(ADRP_ENTRY.equal(entry, veneer)).toBe(false);
  });

  it('meets the BUG() of the kernel where an entry holds a BRK', () => {
    const far = KERNEL + 8 * GIB;
    expect(same([KERNEL, far], [KERNEL + 12, far])).toBe(true);
    expect(() => same([KERNEL + 4092, far], [KERNEL + 4104, far])).toThrow(PltError);
  });

  it('looks at the load alone before 5.0', () => {
    expect(same([0, KERNEL], [16, KERNEL], MOVN_ENTRY)).toBe(true);
    expect(same([0, KERNEL], [16, KERNEL + 1], MOVN_ENTRY)).toBe(false);
    expect(same([0, KERNEL], [16, KERNEL + 65536], MOVN_ENTRY)).toBe(false);
    expect(same([0, KERNEL], [16, KERNEL + 4 * GIB], MOVN_ENTRY)).toBe(false);
  });
});

describe('writeVeneer', () => {
  it.each([
    ['ADRP', ADRP_ENTRY],
    ['MOVN', MOVN_ENTRY],
  ] as const)('%s veneers load the page and return', (_, kind) => {
    const [page, place, next] = [KERNEL + 0x5000, KERNEL + 0x100040, KERNEL + 0xffc];
    const words = veneerWords(kind, { rd: 9, page: va(page), place: va(place), next: va(next) });
    expect(words).toHaveLength(kind.size / 4);
    const machine = run([{ address: BigInt(place), bytes: bytesOf(words) }], BigInt(place));
    expect(machine.pc).toBe(BigInt(next));
    expect(machine.registers.get(9)).toBe(BigInt(page));
  });

  it('ends in a BRK where the way back is too long', () => {
    const words = veneerWords(ADRP_ENTRY, { rd: 0, page: va(0), place: va(0), next: va(2 ** 27 + 8) });
    expect(words.at(-1)).toBe(BREAK_FAULT);
    const reached = veneerWords(ADRP_ENTRY, { rd: 0, page: va(0), place: va(0), next: va(2 ** 27 + 4) });
    expect(reached.at(-1)).toBe(0x15ffffff);
  });
});
