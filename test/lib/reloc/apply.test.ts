import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va, vaFromBigInt } from '../../../lib/address.js';
import {
  BAD_PLACE,
  NO_ADDRESS,
  OUT_OF_RANGE,
  type Refusal,
  RelocatableSection,
  UNKNOWN_TYPE,
} from '../../../lib/reloc/apply.js';
import { RELOCATION_ROWS } from '../../../lib/reloc/table.js';
import { LINKER_WORDS } from '../../support/linker-word.js';
import { REFERENCE } from '../../support/reference-relocation.js';
import { applyRecord, expectAsReference, OK, relaTable } from '../../support/relocation-case.js';

const TYPES = Object.keys(REFERENCE).map(Number);
const KERNEL = -0x7ffff8000000n;

/** S + A such that X comes out as asked for; P is page aligned, so that this holds for pages too. */
const sumFor = (type: number, X: bigint, P: bigint): bigint => X + (REFERENCE[type]!.X(0n, 0n, P) === 0n ? 0n : P);

describe('apply, at the ends of every range', () => {
  const checked = Object.entries(REFERENCE).filter(([, row]) => row.least !== undefined);

  it.each(checked.map(([type, row]) => [row.name, Number(type), row.least!, row.greatest!] as const))(
    '%s (%d) accepts from %d to %d',
    (_name, type, least, greatest) => {
      const step = REFERENCE[type]!.name.startsWith('ADR_PREL_PG') ? 4096n : 1n;
      const last = step === 1n ? greatest : greatest - 4095n;
      for (const [X, status] of [
        [least, OK],
        [least - step, OUT_OF_RANGE],
        [last, OK],
        [last + step, OUT_OF_RANGE],
      ] as const) {
        const section = new RelocatableSection(Uint8Array.of(1, 2, 3, 0x94, 5, 6, 7, 8), vaFromBigInt(KERNEL));
        const A = sumFor(type, X, KERNEL);
        expect([X, applyRecord(section, { type, offset: 0n, addend: A }, va(0))]).toEqual([X, status]);
        if (status !== OK) expect([...section.bytes]).toEqual([1, 2, 3, 0x94, 5, 6, 7, 8]);
        expectAsReference({ type, S: 0n, A, P: KERNEL, before: 0x0807060594030201n });
      }
    },
  );
});

describe('apply, against the reference', () => {
  const address = fc.oneof(
    fc.bigInt({ min: KERNEL - 0x100000000n, max: KERNEL + 0x100000000n }),
    fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n - 64n }),
    fc.constantFrom(-(2n ** 52n), -(2n ** 32n), -1n, 0n, 1n, 2n ** 31n, 2n ** 32n - 1n),
  );
  const anyNumber = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const before = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const place = address.map((P) => (P < -(2n ** 52n) + 8n ? P + 8n : P));

  it('agrees on any symbol, addend and place', () => {
    const operands = fc.record({ type: fc.constantFrom(...TYPES), S: address, A: anyNumber, P: place, before });
    fc.assert(fc.property(operands, expectAsReference), { numRuns: 5000 });
  });

  it('agrees near every bound, on both sides', () => {
    const near = fc.tuple(fc.nat({ max: 49 }), fc.constantFrom(1n, -1n), fc.bigInt({ min: -8192n, max: 8192n }));
    const operands = fc.record({ type: fc.constantFrom(...TYPES), S: address, P: place, before, near });
    fc.assert(
      fc.property(operands, ({ type, S, P, before, near: [exponent, sign, distance] }) => {
        const X = sign * 2n ** BigInt(exponent) + distance;
        expectAsReference({ type, S, A: BigInt.asIntN(64, sumFor(type, X, P) - S), P, before });
      }),
      { numRuns: 15000 },
    );
  });

  it('rounds no odd addend that a double would', () => {
    for (const A of [2n ** 53n + 1n, 2n ** 62n + 1n, 2n ** 63n - 1n, -(2n ** 53n) - 1n, -(2n ** 63n) + 1n]) {
      expectAsReference({ type: 257, S: KERNEL, A, P: KERNEL, before: 0n });
      expectAsReference({ type: 260, S: KERNEL + 1n, A, P: KERNEL, before: 0n });
    }
    // From one end of the address space to the other it is X that is odd.
    for (const A of [8n, 9n, 10n, 11n]) {
      expectAsReference({ type: 260, S: 2n ** 52n - 1n, A, P: -(2n ** 52n) + 8n, before: 0n });
      expectAsReference({ type: 260, S: -(2n ** 52n) + 1n, A: -A, P: 2n ** 52n - 8n, before: 0n });
    }
  });
});

describe('apply, against other linkers', () => {
  it.each(LINKER_WORDS.map((row) => [row.name, row] as const))('%s', (name, { before, sum, P, after }) => {
    const { type } = RELOCATION_ROWS.find((row) => row.name === name)!;
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, before, true);
    const section = new RelocatableSection(new Uint8Array(view.buffer), va(P));
    expect(applyRecord(section, { type, offset: 0n, addend: sum }, va(0))).toBe(OK);
    expect(view.getUint32(0, true).toString(16)).toBe(after.toString(16));
  });
});

describe('apply, where others went wrong', () => {
  const relocated = (type: number, before: number, X: bigint): [number, number] => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, before, true);
    const section = new RelocatableSection(new Uint8Array(view.buffer), va(0x10000));
    const A = sumFor(type, X, 0x10000n);
    return [applyRecord(section, { type, offset: 0n, addend: A }, va(0)), view.getUint32(0, true)];
  };
  const MOVZ_X0 = 0xd2800000;
  const MOVN_X0 = 0x92800000;
  const MOVK_X0 = 0xf2800000;

  // Zephyr's llext took MOVN for values from 0 on and MOVZ below.
  it('makes a MOVZ of a positive and a MOVN of a negative value, whichever was there', () => {
    for (const before of [MOVZ_X0, MOVN_X0]) {
      expect(relocated(270, before, 5n)).toEqual([OK, MOVZ_X0 | (5 << 5)].map((x) => x >>> 0));
      expect(relocated(270, before, -6n)).toEqual([OK, (MOVN_X0 | (5 << 5)) >>> 0]);
      expect(relocated(270, before, 0n)).toEqual([OK, MOVZ_X0]);
    }
  });

  // KernelPatch leaves the opcode of the signed groups as it finds it.
  it('selects MOVN in the place-relative groups and the unchecked G3 too', () => {
    expect(relocated(287, MOVZ_X0, -1n)).toEqual([OK, MOVN_X0]);
    expect(relocated(293, MOVZ_X0, -(1n << 48n))).toEqual([OK, MOVN_X0]);
    expect(relocated(293, MOVN_X0, 1n << 48n)).toEqual([OK, (MOVZ_X0 | (1 << 5)) >>> 0]);
  });

  // wild checks none of MOVW_PREL_G0..G2.
  it.each([
    [287, 1n << 16n],
    [289, 1n << 32n],
    [291, 1n << 48n],
  ])('refuses a value that does not fit MOVW_PREL (%d)', (type, limit) => {
    expect(relocated(type, MOVZ_X0, limit - 1n)[0]).toBe(OK);
    expect(relocated(type, MOVZ_X0, limit)).toEqual([OUT_OF_RANGE, MOVZ_X0]);
    expect(relocated(type, MOVZ_X0, -limit)[0]).toBe(OK);
    expect(relocated(type, MOVZ_X0, -limit - 1n)).toEqual([OUT_OF_RANGE, MOVZ_X0]);
  });

  it('keeps the MOVK of an unchecked group', () => {
    expect(relocated(288, MOVK_X0, -1n)).toEqual([OK, (MOVK_X0 | (0xffff << 5)) >>> 0]);
  });
});

describe('apply, on what is no relocation of a module', () => {
  const section = () => new RelocatableSection(new Uint8Array(16).fill(0xaa), va(0x1000));

  it.each([1, 255, 281, 294, 298, 300, 311, 312, 1027, 0x7fffffff, 0xffffffff])('refuses type %d', (type) => {
    const target = section();
    expect(applyRecord(target, { offset: 0n, type }, va(0))).toBe(UNKNOWN_TYPE);
    expect(target.bytes).toEqual(section().bytes);
  });

  it.each([0, 256])('does nothing for NONE (%d), wherever it points', (type) => {
    const target = section();
    expect(applyRecord(target, { offset: 1n << 63n, type }, va(0))).toBe(OK);
    expect(target.bytes).toEqual(section().bytes);
  });

  it.each([
    [257, 8n],
    [258, 12n],
    [259, 14n],
    [277, 12n],
    [283, 12n],
  ])('writes type %d up to the last byte of the section and not past it', (type, last) => {
    const at = (offset: bigint) => applyRecord(section(), { offset, type }, va(0xff8));
    expect(at(last)).toBe(OK);
    expect(at(last + 1n)).toBe(BAD_PLACE);
    for (const far of [16n, 1n << 32n, (1n << 53n) + 1n, (1n << 64n) - 4n]) expect(at(far)).toBe(BAD_PLACE);
  });

  it('applies at odd places, which Linux does not diagnose', () => {
    expectAsReference({ type: 257, S: 1n, A: 2n, P: KERNEL + 3n, before: 0n });
    expectAsReference({ type: 286, S: 1n, A: 6n, P: KERNEL + 1n, before: 0xf9400000n });
  });
});

describe('apply, of many records', () => {
  const [ABS64, CALL26] = [257, 283];
  const BL = 0x94000000;

  function setup() {
    const section = new RelocatableSection(new Uint8Array(64), va(0x1000));
    for (let at = 0; at < 64; at += 4) section.view.setUint32(at, BL, true);
    const refused: [number, Refusal][] = [];
    const refuse = (index: number, refusal: Refusal) => void refused.push([index, refusal]);
    return { section, refused, refuse };
  }

  it('goes on behind what it refuses', () => {
    const { section, refused, refuse } = setup();
    const relas = relaTable(
      { offset: 0n, type: CALL26, symbol: 1 },
      { offset: 4n, type: 311 },
      { offset: 64n, type: CALL26 },
      { offset: 8n, type: ABS64, symbol: 2 },
      { offset: 8n, type: ABS64, symbol: 3 },
      { offset: 16n, type: ABS64, addend: 0x1234567890n },
    );
    section.apply({ relas }, { symbols: [va(0x1000), va(2 ** 40), undefined], detour: () => Number.NaN, refuse });
    expect(refused).toEqual([
      [0, OUT_OF_RANGE],
      [1, UNKNOWN_TYPE],
      [2, BAD_PLACE],
      [3, NO_ADDRESS],
      [4, NO_ADDRESS],
    ]);
    expect(section.view.getBigUint64(16, true)).toBe(0x1234568890n);
    expect([0, 4, 8, 12].map((at) => section.view.getUint32(at, true))).toEqual([BL, BL, BL, BL]);
  });

  it('asks for a detour where a branch does not reach, and leaves its addend behind', () => {
    const { section, refused, refuse } = setup();
    const far = { type: CALL26, symbol: 0, addend: 8n };
    const relas = relaTable({ ...far, offset: 0n }, { ...far, offset: 4n }, { ...far, offset: 8n, addend: 2n ** 62n });
    const detours = [va(0x1040), va(2 ** 41), va(0x1048)];
    section.apply({ relas }, { symbols: [va(2 ** 40)], detour: (index) => detours[index]!, refuse });
    expect(refused).toEqual([[1, OUT_OF_RANGE]]);
    expect([0, 4, 8].map((at) => section.view.getUint32(at, true))).toEqual([BL | 16, BL, BL | 16].map((x) => x >>> 0));
  });

  it('leaves alone what is outside the range of records', () => {
    const { section, refused, refuse } = setup();
    const relas = relaTable(...[0n, 8n, 16n, 24n].map((offset) => ({ offset, type: ABS64 })));
    section.apply({ relas, from: 1, end: 3 }, { symbols: [va(1)], detour: () => Number.NaN, refuse });
    expect([0, 8, 16, 24].map((at) => section.view.getBigUint64(at, true) === 1n)).toEqual([false, true, true, false]);
    expect(refused).toEqual([]);
  });
});
