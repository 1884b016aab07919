import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { PltError } from '../../../lib/errors.js';
import { pltSectionSize } from '../../../lib/plt/count.js';
import { type PlacedEntry, type Veneer, writeEntry, writeVeneer } from '../../../lib/plt/entry.js';
import { pltFormatOf } from '../../../lib/plt/format.js';
import { PltSection } from '../../../lib/plt/section.js';

const PAGE = -0x7ffff0000000;
const NEAR = PAGE - 2 ** 28;
const [X, Y, Z] = [va(NEAR), va(NEAR + 0x1230), va(NEAR + 0x2468)];

interface Setup {
  readonly version?: readonly [number, number];
  readonly reserved: number;
  readonly address?: number;
  readonly erratum?: boolean;
}

/** A PLT and a way to look at a slot: as the words of an entry to a destination, `empty`, or `other`. */
function setup({ version: [major, minor] = [6, 1], reserved, address = PAGE, erratum = false }: Setup) {
  const format = pltFormatOf({ major, minor });
  const bytes = new Uint8Array(pltSectionSize(format, reserved));
  const plt = new PltSection({ format, bytes, address: va(address), reserved, erratum843419: erratum });
  const view = new DataView(bytes.buffer);
  const words = (slot: number, from = view) =>
    Array.from({ length: format.entry.size / 4 }, (_, i) => from.getUint32(slot * format.entry.size + 4 * i, true));
  const at = (slot: number) => va(address + slot * format.entry.size);
  const written = (slot: number, write: (entry: PlacedEntry) => void) => {
    const expected = new DataView(new ArrayBuffer(format.entry.size));
    write({ view: expected, offset: 0, place: at(slot) });
    expect(words(slot)).toEqual(words(0, expected));
  };
  const holds = (slot: number, destination: number) =>
    written(slot, (entry) => writeEntry(format.entry, entry, va(destination)));
  const holdsVeneer = (slot: number, veneer: Veneer) =>
    written(slot, (entry) => writeVeneer(format.entry, entry, veneer));
  const empty = (slot: number) => expect(words(slot).every((word) => word === 0)).toBe(true);
  return { plt, words, at, holds, holdsVeneer, empty };
}

describe('emit since 4.12', () => {
  it('gives every destination its slot in turn', () => {
    const { plt, at, holds, empty } = setup({ reserved: 3 });
    expect([plt.emit(X), plt.emit(Y)]).toEqual([at(0), at(1)]);
    holds(0, X);
    holds(1, Y);
    empty(2);
    expect(plt.used).toBe(2);
  });

  it('reuses the previous entry and leaves the duplicate behind it', () => {
    const { plt, at, holds, empty } = setup({ reserved: 3 });
    expect([plt.emit(X), plt.emit(X), plt.emit(X)]).toEqual([at(0), at(0), at(0)]);
    expect(plt.used).toBe(1);
    holds(0, X);
    holds(1, X);
    empty(2);
    expect(plt.emit(Y)).toBe(at(1));
    holds(1, Y);
  });

  it('leaves a last duplicate in the spare slot', () => {
    const { plt, at, holds } = setup({ reserved: 1 });
    expect([plt.emit(X), plt.emit(X)]).toEqual([at(0), at(0)]);
    holds(1, X);
  });

  it('does not look further back than the previous entry', () => {
    const { plt, at } = setup({ reserved: 3 });
    expect([plt.emit(X), plt.emit(Y), plt.emit(X)]).toEqual([at(0), at(1), at(2)]);
  });

  it('knows a duplicate across a page boundary, where the words differ', () => {
    const { plt, at, words } = setup({ reserved: 2, address: PAGE + 0xff4 });
    expect([plt.emit(X), plt.emit(X)]).toEqual([at(0), at(0)]);
    expect(words(1)).not.toEqual(words(0));
  });

  it('fails with the entry after the last one reserved', () => {
    const { plt } = setup({ reserved: 2 });
    plt.emit(X);
    plt.emit(Y);
    expect(() => plt.emit(Z)).toThrow(PltError);
    expect(() => setup({ reserved: 0 }).plt.emit(X)).toThrow(
      'PLT at 0xffff800010000000 is full: entry 1 of 0 was asked for',
    );
  });

  it.each([
    [4, 19],
    [4, 12],
  ])('does the same with the entries of %d.%d', (major, minor) => {
    const { plt, at, holds, words } = setup({ version: [major, minor], reserved: 3 });
    expect([plt.emit(X), plt.emit(X), plt.emit(Y)]).toEqual([at(0), at(0), at(1)]);
    expect(at(1) - at(0)).toBe(16);
    holds(1, Y);
    expect(words(1)).toHaveLength(4);
  });
});

describe('emit before 4.12', () => {
  const setup46 = (reserved: number) => setup({ version: [4, 9], reserved });

  it('finds the entry of a symbol, however many stand between', () => {
    const { plt, at, empty } = setup46(3);
    expect([plt.emit(X, 1), plt.emit(Y, 2), plt.emit(X, 1)]).toEqual([at(0), at(1), at(0)]);
    expect(plt.used).toBe(2);
    empty(2);
  });

  it('takes two symbols at one address for two destinations', () => {
    const { plt, at } = setup46(3);
    expect([plt.emit(X, 1), plt.emit(X, 2)]).toEqual([at(0), at(1)]);
  });

  it('shares nothing where there is an addend', () => {
    const { plt, at } = setup46(3);
    expect([plt.emit(X), plt.emit(X), plt.emit(X, 1)]).toEqual([at(0), at(1), at(2)]);
    expect(() => plt.emit(Y)).toThrow(PltError);
  });
});

describe('emit with erratum 843419', () => {
  // Slot 1 would begin at page offset 0xff8.
  const around = { reserved: 4, address: PAGE + 0xfec, erratum: true };

  it('skips a slot whose ADRP would stand in the last two words of a page', () => {
    const { plt, at, holds, empty } = setup(around);
    expect([plt.emit(X), plt.emit(Y), plt.emit(Z)]).toEqual([at(0), at(2), at(3)]);
    empty(1);
    holds(2, Y);
    expect(plt.used).toBe(4);
  });

  it('leaves a duplicate behind the skipped slot', () => {
    const { plt, at, holds, empty } = setup(around);
    expect([plt.emit(X), plt.emit(X)]).toEqual([at(0), at(0)]);
    expect(plt.used).toBe(1);
    empty(1);
    holds(2, X);
  });

  it('skips the first slot too', () => {
    const { plt, at } = setup({ ...around, address: PAGE + 0xffc });
    expect(plt.emit(X)).toBe(at(1));
    expect(plt.used).toBe(2);
  });

  it('skips none on other CPUs, and none whose ADRP stands before or behind', () => {
    expect(setup({ ...around, erratum: false }).plt.emit(X)).toBe(around.address);
    for (const address of [PAGE + 0xff4, PAGE + 0x1000]) {
      const { plt, at } = setup({ ...around, address });
      expect(plt.emit(X)).toBe(at(0));
    }
  });

  it('still knows a duplicate when the slot behind a full PLT is forbidden', () => {
    const { plt, at, holds, empty } = setup({ ...around, reserved: 1 });
    expect([plt.emit(X), plt.emit(X)]).toEqual([at(0), at(0)]);
    holds(0, X);
    empty(1);
    expect(() => plt.emit(Y)).toThrow(PltError);
  });
});

describe('emitVeneer', () => {
  const [place, page] = [va(PAGE - 0x10000 + 0xff8), va(NEAR + 0x7000)];
  const ADRP_X21 = 0x90000015;

  it('gives every ADRP a veneer of its own, into its own register', () => {
    const { plt, at, holdsVeneer } = setup({ reserved: 3, erratum: true });
    const adrp = { word: ADRP_X21, place, page };
    expect([plt.emitVeneer(adrp), plt.emitVeneer(adrp)]).toEqual([at(0), at(1)]);
    for (const slot of [0, 1]) {
      holdsVeneer(slot, { rd: 21, page, next: va(place + 4) });
    }
    expect(plt.used).toBe(2);
  });

  it('is never reused for a branch to the page', () => {
    const { plt, at } = setup({ reserved: 3, erratum: true });
    plt.emitVeneer({ word: 0x90000010, place, page });
    expect(plt.emit(page)).toBe(at(1));
  });

  it('skips a forbidden slot and may then take one more than reserved, as in the kernel', () => {
    const { plt, at } = setup({ reserved: 1, address: PAGE + 0xff8, erratum: true });
    expect(plt.emitVeneer({ word: ADRP_X21, place, page })).toBe(at(1));
    expect(plt.used).toBe(2);
    expect(() => plt.emitVeneer({ word: ADRP_X21, place, page })).toThrow(PltError);
  });

  it('skips nothing where veneers hold no ADRP', () => {
    const { plt, at, holdsVeneer } = setup({ version: [4, 19], reserved: 1, address: PAGE + 0xff8, erratum: true });
    expect(plt.emitVeneer({ word: ADRP_X21, place, page })).toBe(at(0));
    holdsVeneer(0, { rd: 21, page, next: va(place + 4) });
  });
});
