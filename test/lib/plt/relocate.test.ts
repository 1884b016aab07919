import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toU64, va } from '../../../lib/address.js';
import { PltError } from '../../../lib/errors.js';
import { pltSectionSize } from '../../../lib/plt/count.js';
import { pltFormatOf } from '../../../lib/plt/format.js';
import { relocateSection } from '../../../lib/plt/relocate.js';
import { PltSection } from '../../../lib/plt/section.js';
import { BAD_PLACE, OUT_OF_RANGE, type Refusal, RelocatableSection, UNKNOWN_TYPE } from '../../../lib/reloc/apply.js';
import { run } from '../../support/a64-interpreter.js';
import { OK, type RelaRecord, relaTable } from '../../support/relocation-case.js';

const BL = 0x94000000;
const ADRP_X7 = 0x90000007;
const ADRP_X16 = 0x90000010;
const TEXT = -0x7ffff0000000;
const SIZE = 0x3000;
const [ADRP, ADRP_NC, PREL32, JUMP26, CALL26] = [275, 276, 261, 282, 283];

interface Setup {
  readonly version?: readonly [number, number];
  readonly erratum?: boolean;
  readonly reserved?: number;
  /** Distance of the PLT from the code. */
  readonly plt?: number;
}

/** 12 KiB of code and a PLT; `apply` puts `word` at the place first. */
function setup({ version: [major, minor] = [6, 1], erratum = false, reserved = 8, plt: distance = SIZE }: Setup = {}) {
  const format = pltFormatOf({ major, minor });
  const code = new RelocatableSection(new Uint8Array(SIZE), va(TEXT));
  const bytes = new Uint8Array(pltSectionSize(format, reserved));
  const plt = new PltSection({ format, bytes, address: va(TEXT + distance), reserved, erratum843419: erratum });
  const apply = (word: number, record: RelaRecord, S: number) => {
    if (record.offset < SIZE) code.view.setUint32(Number(record.offset), word, true);
    let status: Refusal | typeof OK = OK;
    const refuse = (_: number, refusal: Refusal): void => {
      status = refusal;
    };
    const symbols = Array.from({ length: (record.symbol ?? 0) + 1 }, () => va(S));
    relocateSection({ section: code, relas: relaTable(record), symbols, plt, refuse });
    return status;
  };
  const memories = [
    { address: BigInt(code.address), bytes: code.bytes },
    { address: BigInt(plt.address), bytes },
  ];
  const word = (offset: number) => code.view.getUint32(offset, true);
  return { code, plt, apply, memories, word };
}

describe('a branch', () => {
  const FAR = 2 ** 30;

  it('goes straight to what it reaches, to the last instruction', () => {
    const { plt, apply, word } = setup();
    expect(apply(BL, { offset: 16n, type: CALL26 }, TEXT + 16 + 2 ** 27 - 4)).toBe(OK);
    expect(word(16)).toBe(0x95ffffff);
    expect(apply(BL, { offset: 16n, type: CALL26 }, TEXT + 16 - 2 ** 27)).toBe(OK);
    expect(word(16)).toBe(0x96000000);
    expect(plt.used).toBe(0);
  });

  it('goes through a PLT entry from there on', () => {
    for (const distance of [2 ** 27, -(2 ** 27) - 4]) {
      const { plt, apply, memories } = setup();
      expect(apply(BL, { offset: 16n, type: CALL26 }, TEXT + 16 + distance)).toBe(OK);
      expect(plt.used).toBe(1);
      expect(run(memories, BigInt(TEXT + 16)).pc).toBe(BigInt(TEXT + 16 + distance));
    }
  });

  it('shares an entry only with its neighbour in the order', () => {
    const { plt, apply, word } = setup();
    const call = (offset: bigint, S: number) => apply(BL, { offset, type: CALL26 }, S);
    expect([call(0n, TEXT + FAR), call(4n, TEXT + FAR), call(8n, TEXT), call(12n, TEXT + FAR)]).toEqual([
      OK,
      OK,
      OK,
      OK,
    ]);
    expect(plt.used).toBe(1);
    expect([word(0), word(4), word(12)].map((x) => x & 0x3ffffff)).toEqual([SIZE / 4, SIZE / 4 - 1, SIZE / 4 - 3]);
    call(16n, TEXT + 2 * FAR);
    call(20n, TEXT + FAR);
    expect(plt.used).toBe(3);
  });

  it.each([
    [4, 9],
    [4, 19],
    [5, 4],
    [7, 3],
  ])('arrives at S + A with the PLT of Linux %d.%d', (major, minor) => {
    const target = fc.integer({ min: -(2 ** 31) + 2 ** 16, max: 2 ** 31 - 2 ** 16 }).map((x) => TEXT + (x & ~3));
    const branch = fc.record({
      S: fc.oneof(target, fc.constantFrom(TEXT + FAR, TEXT - FAR)),
      symbol: fc.nat({ max: 2 }),
      A: fc.constantFrom(0n, 0n, 8n, -4n),
      type: fc.constantFrom(JUMP26, CALL26),
    });
    fc.assert(
      fc.property(fc.array(branch, { maxLength: 12 }), (branches) => {
        const { plt, apply, memories } = setup({ version: [major, minor], reserved: 12 });
        // One address a symbol, as in a module.
        const S = (symbol: number) => branches.find((candidate) => candidate.symbol === symbol)!.S;
        branches.forEach(({ symbol, A, type }, index) => {
          const record = { offset: BigInt(4 * index), type, symbol, addend: A };
          expect(apply(type === CALL26 ? BL : 0x14000000, record, S(symbol))).toBe(OK);
        });
        branches.forEach(({ symbol, A }, index) => {
          const place = BigInt(TEXT + 4 * index);
          expect(run(memories, place, BigInt(S(symbol)) + A).pc).toBe(BigInt(S(symbol)) + A);
        });
        expect(plt.used).toBeLessThanOrEqual(branches.length);
      }),
    );
  });

  it('is out of range where the PLT is, and fails where the PLT is full', () => {
    const distant = setup({ plt: 2 ** 28 });
    expect(distant.apply(BL, { offset: 0n, type: CALL26 }, TEXT + FAR)).toBe(OUT_OF_RANGE);
    expect(distant.word(0)).toBe(BL);
    const full = setup({ reserved: 0 });
    expect(() => full.apply(BL, { offset: 0n, type: CALL26 }, TEXT + FAR)).toThrow(PltError);
  });

  it('survives any addend', () => {
    const { apply } = setup();
    for (const addend of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n]) {
      expect(apply(BL, { offset: 0n, type: CALL26, addend }, TEXT)).toBe(OK);
    }
  });
});

describe('other relocations', () => {
  it('never use the PLT', () => {
    const { plt, apply } = setup();
    expect(apply(0, { offset: 0n, type: PREL32 }, TEXT + 2 ** 32)).toBe(OUT_OF_RANGE);
    expect(apply(0, { offset: 0n, type: 311 }, TEXT)).toBe(UNKNOWN_TYPE);
    expect(apply(ADRP_X7, { offset: 0xff8n, type: ADRP }, TEXT + 2 ** 32)).toBe(OUT_OF_RANGE);
    expect(plt.used).toBe(0);
  });
});

describe('an ADRP with erratum 843419', () => {
  const erratum = { erratum: true } as const;

  it('stays an ADRP where it may', () => {
    for (const offset of [0xff4n, 0x1000n]) {
      const { plt, apply, memories } = setup(erratum);
      expect(apply(ADRP_X7, { offset, type: ADRP }, TEXT + 2 ** 30 + 0x123)).toBe(OK);
      expect(run(memories, BigInt(TEXT) + offset, BigInt(TEXT) + offset + 4n).registers.get(7)).toBe(
        BigInt(TEXT + 2 ** 30),
      );
      expect(plt.used).toBe(0);
    }
  });

  it.each([0xff8, 0xffc, 0x1ff8])('becomes an ADR at offset %i if the page is within 1 MiB', (offset) => {
    for (const S of [TEXT - 0x80123, TEXT, TEXT + 0xfff + 4096, TEXT + 0xff000]) {
      const { plt, apply, memories, word } = setup(erratum);
      expect(apply(ADRP_X7, { offset: BigInt(offset), type: ADRP }, S)).toBe(OK);
      expect(word(offset) >>> 31).toBe(0);
      const place = BigInt(TEXT + offset);
      expect(run(memories, place, place + 4n).registers.get(7)).toBe(BigInt(S) & ~0xfffn);
      expect(plt.used).toBe(0);
    }
  });

  it('takes a veneer from the first page that ADR does not reach', () => {
    const place = TEXT + 0xff8;
    for (const [page, used] of [
      [TEXT + 0x100000, 0],
      [TEXT + 0x101000, 1],
      [TEXT - 0xff000, 0],
      [TEXT - 0x100000, 1],
    ] as const) {
      const { plt, apply, memories } = setup(erratum);
      expect(apply(ADRP_X16, { offset: 0xff8n, type: ADRP_NC, addend: 0x1000n }, page - 0x801)).toBe(OK);
      expect([page, plt.used]).toEqual([page, used]);
      const machine = run(memories, BigInt(place), BigInt(place + 4));
      expect(machine.pc).toBe(BigInt(place + 4));
      expect(machine.registers.get(16)).toBe(BigInt(page));
    }
  });

  it.each([
    [4, 17, 2 ** 32],
    [5, 0, 2 ** 31],
    [6, 12, -(2 ** 31)],
  ])('loads its page through the veneer of Linux %d.%d', (major, minor, distance) => {
    const { plt, apply, memories, word } = setup({ ...erratum, version: [major, minor] });
    expect(apply(ADRP_X7, { offset: 0x1ffcn, type: ADRP }, TEXT + distance + 0xabc)).toBe(OK);
    expect(word(0x1ffc) >>> 26).toBe(0b000101);
    const machine = run(memories, BigInt(TEXT + 0x1ffc), BigInt(TEXT + 0x2000));
    expect(machine.registers.get(7)).toBe(BigInt(TEXT + distance));
    expect(machine.pc).toBe(BigInt(TEXT + 0x2000));
    expect(plt.used).toBe(1);
  });

  it('was refused by kernels before 4.17', () => {
    const { apply, word } = setup({ ...erratum, version: [4, 14] });
    expect(apply(ADRP_X7, { offset: 0n, type: ADRP }, TEXT)).toBe(UNKNOWN_TYPE);
    expect(apply(ADRP_X7, { offset: 4n, type: ADRP_NC }, TEXT)).toBe(UNKNOWN_TYPE);
    expect(word(0)).toBe(ADRP_X7);
  });

  it('is not written past the end of the section', () => {
    const { apply } = setup(erratum);
    for (const offset of [0x3ff8n, 0x100000ff8n, toU64(va(-8))]) {
      expect(apply(ADRP_X7, { offset, type: ADRP }, TEXT)).toBe(BAD_PLACE);
    }
  });

  it('takes an addend that is no address for far away', () => {
    const { plt, apply } = setup(erratum);
    // Modulo 2^53 this would be the page itself.
    expect(apply(ADRP_X7, { offset: 0xff8n, type: ADRP, addend: 2n ** 53n }, TEXT)).toBe(OK);
    expect(plt.used).toBe(1);
  });
});
