import { describe, expect, it } from '@jest/globals';
import { openModule } from '../../../lib/module/module-file.js';
import { brokenGroups } from '../../../lib/verify/movw-group.js';
import { referencesOf } from '../../../lib/verify/reference.js';
import { verifyModule } from '../../../lib/verify/verify.js';
import { ALLOC, buildModule, EXEC, type ObjectRelocation } from '../../support/object-file.js';
import { codeOf } from '../../support/thrown.js';
import { type BuiltReference, builtModule } from './built-module.js';

const MOVZ = 0xd2800000;
const MOVN = 0x92800000;
const MOVK = 0xf2800000;
const RET = 0xd65f03c0;
const BR_X9 = 0xd61f0120;
const NOP = 0xd503201f;
const BL = 0x94000100;
const BRK = 0xd4210000;
const mov = (to: number, from: number) => (0xaa0003e0 | (from << 16) | to) >>> 0;
/** LDR X1, [Xn] */
const ldrFrom = (register: number) => (0xf9400001 | (register << 5)) >>> 0;
const strSp = (register: number) => (0xf90007e0 | register) >>> 0;
const ldrSp = (register: number) => (0xf94007e0 | register) >>> 0;
const ldpSp = (first: number, second: number) => (0xa94003e0 | (second << 10) | first) >>> 0;
const branch = (distance: number) => (0x14000000 | ((distance / 4) & 0x3ffffff)) >>> 0;
const cbz = (register: number, distance: number) => (0xb4000000 | (((distance / 4) & 0x7ffff) << 5) | register) >>> 0;
const tbz = (register: number, distance: number) => (0x36000000 | (((distance / 4) & 0x3fff) << 5) | register) >>> 0;
const bne = (distance: number) => (0x54000001 | (((distance / 4) & 0x7ffff) << 5)) >>> 0;

const TYPES = [264, 266, 268, 269];

interface PartOptions {
  readonly register?: number;
  readonly symbol?: string;
  readonly addend?: bigint;
  /** Whether it is a MOVZ; default: G0 is. */
  readonly sets?: boolean;
}

/** One instruction of a group: G0 to G3 of a symbol. */
function part(offset: number, group: number, options: PartOptions = {}): BuiltReference {
  const { register = 0, symbol = 'jiffies', addend = 0n, sets = group === 0 } = options;
  return { offset, type: TYPES[group]!, symbol, addend, word: ((sets ? MOVZ : MOVK) | (group << 21) | register) >>> 0 };
}

/** Four instructions in a row. */
const group = (offset: number, options: PartOptions = {}) => [0, 1, 2, 3].map((n) => part(offset + 4 * n, n, options));

/** Where a module's groups are broken, and how. */
function broken(references: readonly BuiltReference[], code: Record<number, number> = {}): string[] {
  const { findings } = verifyModule(builtModule(references, { code }), { model: 'large', allowAdrp: true });
  return findings.map(({ rule, offset, message }) => `${offset.toString(16)} ${rule} ${message.split(': ').at(-1)}`);
}

const [ENDS, ORPHAN, MIXED, USED, UNFIT] = [
  'brokenGroup not all of G0 to G3 follow',
  'brokenGroup there is no address that it continues',
  'brokenGroup it continues the address of another symbol or addend',
  'brokenGroup it is used before all of G0 to G3 are there',
  'brokenGroup the instruction does not move these bits',
];

describe('a MOVW group in a row', () => {
  it('is whole with G0 to G3 in any order', () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
    ]) {
      expect(broken(order.map((n, i) => part(4 * i, n, { sets: i === 0 })))).toEqual([]);
    }
  });

  it('is whole under a signed G2, which extends its sign', () => {
    const top = { offset: 0, type: 272, symbol: 'jiffies', word: (MOVN | (2 << 21)) >>> 0 };
    expect(broken([top, part(4, 1), part(8, 0, { sets: false })])).toEqual([]);
    expect(broken([top, part(8, 0, { sets: false })])).toEqual([`8 ${ENDS}`]);
  });

  it.each([
    ['G0', [1, 2, 3], `0 ${ORPHAN}`],
    ['G1', [0, 2, 3], `8 ${ENDS}`],
    ['G2', [0, 1, 3], `8 ${ENDS}`],
    ['G3', [0, 1, 2], `8 ${ENDS}`],
  ] as const)('is broken without %s', (_, groups, finding) => {
    const expected = groups[0] === 0 ? [finding] : [finding, `8 ${ENDS}`];
    expect(broken(groups.map((n, i) => part(4 * i, n)))).toEqual(expected);
  });

  it('is broken by a part of another symbol or addend', () => {
    const with2 = (other: PartOptions) => [part(0, 0), part(4, 1), part(8, 2, other), part(12, 3)];
    expect(broken(with2({ symbol: 'table' }))).toContain(`8 ${MIXED}`);
    expect(broken(with2({ addend: 8n }))).toContain(`8 ${MIXED}`);
    expect(broken([part(0, 0), part(4, 1), part(8, 2), part(12, 3, { symbol: 'table' })])).toEqual([`c ${MIXED}`]);
  });

  it('is broken by a part that goes into another register', () => {
    expect(broken([part(0, 0), part(4, 1), part(8, 2, { register: 1 }), part(12, 3)])).toEqual([
      `8 ${ORPHAN}`,
      `c ${ENDS}`,
    ]);
  });

  it('is broken where the instruction is no move, or begins again', () => {
    expect(broken([part(0, 0), { ...part(4, 1), word: 0 }, part(8, 2), part(12, 3)])).toEqual([
      `4 ${UNFIT}`,
      `c ${ENDS}`,
    ]);
    expect(broken([part(0, 0), part(4, 1), part(8, 2, { sets: true }), part(12, 3)])).toEqual([
      `4 ${ENDS}`,
      `c ${ENDS}`,
    ]);
  });

  it('is broken by a move of other bits, of 32 bits, or of the complement', () => {
    for (const bits of [1 << 21, 2 ** 31, 2 ** 30]) {
      const first = part(0, 0);
      const words = { ...first, word: (first.word! ^ bits) >>> 0 };
      expect(broken([words, part(4, 1), part(8, 2), part(12, 3)])).toContain(`0 ${UNFIT}`);
    }
  });

  it('is broken by a MOVK among them that has no relocation', () => {
    for (const missing of [1, 2, 3]) {
      const rest = group(0).filter((_, n) => n !== missing);
      expect(broken(rest, { [4 * missing]: group(0)[missing]!.word! })).toContain(`${4 * missing - 4} ${USED}`);
    }
    expect(broken(group(0).slice(1), { 0: MOVZ })).toContain(`4 ${ORPHAN}`);
    // What the register held before does not count.
    expect(broken([...group(0), ...group(16).slice(1)], { 16: MOVZ })).toContain(`14 ${ORPHAN}`);
  });

  it('is broken where its register is used before the last part', () => {
    for (const use of [ldrFrom(0), 0xf8216800, 0x91000401, 0x8b000021, 0xd63f0000]) {
      const late = part(16, 3);
      expect(broken([part(0, 0), part(4, 1), part(8, 2), late], { 12: use })).toContain(`8 ${USED}`);
      expect(broken(group(0), { 16: use })).toEqual([]);
    }
  });

  it('may be one of two for the same address: each must be whole', () => {
    expect(broken([...group(0), ...group(16)])).toEqual([]);
    expect(broken([...group(0), ...group(16).filter(({ type }) => type !== 268)])).toEqual([`1c ${ENDS}`]);
  });
});

describe('a MOVW group that is scheduled', () => {
  it('is followed through those of other registers', () => {
    const other = { register: 1, symbol: 'table' };
    const mixed = [0, 1, 2, 3].flatMap((n) => [part(8 * n, n), part(8 * n + 4, n, other)]);
    expect(broken(mixed)).toEqual([]);
  });

  it('shares its first part with a copy', () => {
    // As clang does for two uses of one address; the third use is the original.
    const copied = { register: 5 };
    const code = { 4: mov(5, 0) };
    const shared = [part(0, 0), part(8, 1, copied), part(12, 2, copied), part(16, 3, copied)];
    expect(broken(shared, code)).toEqual([]);
    expect(broken([...shared, part(20, 1), part(24, 2), part(28, 3)], code)).toEqual([]);
    expect(broken([part(0, 0), part(8, 1, copied), part(12, 2, copied)], code)).toEqual([`c ${ENDS}`]);
  });

  it('goes on after a branch, on both ways', () => {
    // 0: movz; 4: cbz -> 0x14; 8..10: movk; 14..1c: movk on the other way
    const rest = (offset: number) => [part(offset, 1), part(offset + 4, 2), part(offset + 8, 3)];
    for (const conditional of [cbz(3, 0x14), tbz(3, 0x14), bne(0x14)]) {
      const code = { 4: conditional, 20: RET };
      expect(broken([part(0, 0), ...rest(8), ...rest(0x18)], code)).toEqual([]);
      expect(broken([part(0, 0), ...rest(8), ...rest(0x18).slice(1)], code)).toEqual([`20 ${ENDS}`]);
    }
  });

  it('goes on behind a detour backwards', () => {
    // 0: b 0x10; 4: movk, movk, movk; 10: movz; 14: b 4
    const code = { 0: branch(0x10), 20: branch(-0x10) };
    expect(broken([part(4, 1), part(8, 2), part(12, 3), part(0x10, 0)], code)).toEqual([]);
    const without = { 0: cbz(3, 0x10), 20: RET };
    expect(broken([part(4, 1), part(8, 2), part(12, 3), part(0x10, 0)], without)).toEqual([
      `4 ${ORPHAN}`,
      `c ${ENDS}`,
      `10 ${ENDS}`,
    ]);
  });

  it('is nothing that both ways agree on if they build different addresses', () => {
    // 0: cbz -> c; 4: movz jiffies; 8: b 10; c: movz table; 10: movk ...
    const code = { 0: cbz(3, 0xc), 8: branch(8) };
    const ways = [part(4, 0), part(0xc, 0, { symbol: 'table' }), part(0x10, 1), part(0x14, 2), part(0x18, 3)];
    expect(broken(ways, code)).toContain(`10 ${MIXED}`);
    // And if one of them builds none.
    expect(broken(ways.slice(1), code)).toContain(`10 ${MIXED}`);
    expect(broken([ways[0]!, ...ways.slice(2)], { ...code, 12: MOVZ })).toContain(`10 ${ORPHAN}`);
  });

  it('may wait on the stack', () => {
    const rest = [part(0x10, 1, { register: 2 }), part(0x14, 2, { register: 2 }), part(0x18, 3, { register: 2 })];
    for (const reload of [ldrSp(2), ldpSp(1, 2), ldpSp(2, 1)]) {
      expect(broken([part(0, 0), ...rest], { 4: strSp(0), 8: reload })).toEqual([]);
    }
    expect(broken([part(0, 0), ...rest], { 4: strSp(0), 8: ldrSp(1) })).toContain(`10 ${ORPHAN}`);
    // What is loaded must be what was begun.
    expect(broken(rest, { 4: strSp(0), 8: ldrSp(2) })).toContain(`10 ${ORPHAN}`);
    expect(broken([part(0, 0), ...rest.slice(1)], { 4: strSp(0), 8: ldrSp(2) })).toEqual([`0 ${ENDS}`, `14 ${ORPHAN}`]);
    const other = part(0, 0, { symbol: 'table' });
    expect(broken([other, ...rest], { 4: strSp(0), 8: ldrSp(2) })).toEqual([`0 ${ENDS}`, `10 ${ORPHAN}`]);
  });

  it('may be moved while it is out of sight, but is not continued in a register where it never was', () => {
    // 0: movz x0; 4: bl; 8: mov x5, x0; c: bl; 10..18: movk x5
    const rest = (register: number) => [1, 2, 3].map((n) => part(0xc + 4 * n, n, { register }));
    const code = { 4: BL, 8: mov(5, 0), 12: BL };
    expect(broken([part(0, 0), ...rest(5)], code)).toEqual([]);
    expect(broken([part(0, 0), ...rest(6)], code)).toEqual([`0 ${ENDS}`, `10 ${ORPHAN}`]);
    // A slip of the pen behind a call: movz x1, then movk x0.
    const slip = [part(4, 0, { register: 1 }), part(8, 1), part(12, 2), part(16, 3)];
    expect(broken(slip, { 0: BL, 20: ldrFrom(0) })).toEqual([`4 ${ENDS}`, `8 ${ORPHAN}`]);
  });

  it('is not finished by being put aside', () => {
    expect(broken([part(0, 0), part(4, 1), part(8, 2)], { 12: strSp(0) })).toEqual([`8 ${ENDS}`]);
  });

  it('may be completed where a jump table leads', () => {
    const rest = [part(8, 1), part(12, 2), part(16, 3)];
    expect(broken([part(0, 0), ...rest], { 4: BR_X9 })).toEqual([]);
    expect(broken([part(0, 0), ...rest.slice(1)], { 4: BR_X9 })).toEqual([`0 ${ENDS}`, `c ${ORPHAN}`]);
  });

  it('begins anew in each function', () => {
    // `next` begins at 0x40.
    expect(broken([part(0x38, 0), part(0x3c, 1), part(0x40, 2), part(0x44, 3)])).toEqual([`40 ${ORPHAN}`]);
  });

  it('shares all but the last part with a copy, and each must get its own', () => {
    const shared = [part(0, 0), part(4, 1), part(8, 2), part(16, 3, { register: 5 })];
    const code = { 12: mov(5, 0), 24: ldrFrom(5), 28: ldrFrom(0) };
    expect(broken([...shared, part(20, 3)], code)).toEqual([]);
    expect(broken(shared, code)).toEqual([`8 ${USED}`]);
  });

  it('may go on behind a branch that the kernel patches into a NOP', () => {
    // clang 14 for an atomic operation of Linux 6.1, in its two kinds:
    // 0: movz; 4: tbz -> 1c; 8: b 30; c: mov x9, x0; 10..18: movk x9; 1c..24: movk x0; 28: ret; 30: movk x0; 3c: b 1c
    const copied = { register: 9 };
    const parts = [part(0, 0), ...[1, 2, 3].map((n) => part(0xc + 4 * n, n, copied))];
    const both = [...parts, ...[1, 2, 3].map((n) => part(0x18 + 4 * n, n))];
    const code = { 4: tbz(8, 0x18), 8: branch(0x28), 12: mov(9, 0), 40: RET, 48: NOP, 60: branch(-0x20) };
    expect(broken(both, code)).toEqual([]);
    const without = (lost: number) => both.filter(({ offset }) => offset !== lost);
    for (const { offset = 0 } of both) expect(broken(without(offset), { ...code, [offset]: NOP })).not.toEqual([]);
  });

  it('has nothing to do with the code before it if that does not return', () => {
    // 0: movz; 4: cbz -> 10; 8: mov x0, x5; c: bl or brk; 10: movk
    const parts = [part(0, 0, { register: 19 }), ...[1, 2, 3].map((n) => part(0xc + 4 * n, n, { register: 19 }))];
    const codeWith = (last: number) => ({ 4: cbz(3, 0xc), 8: mov(19, 5), 12: last });
    expect(broken(parts, codeWith(BL))).toEqual([]);
    expect(broken(parts, codeWith(BRK))).toEqual([]);
    expect(broken(parts, codeWith(NOP))).toEqual([`10 ${ORPHAN}`]);
  });

  it('does not begin with what a call leaves, but may be kept through one', () => {
    const rest = [part(8, 1), part(12, 2), part(16, 3)];
    expect(broken([part(0, 0), ...rest], { 4: BL })).toEqual([]);
    expect(broken(rest, { 4: BL })).toContain(`8 ${ORPHAN}`);
    const seen = [...group(0x20), ...rest];
    expect(broken(seen, { 4: BL })).toContain(`8 ${ORPHAN}`);
    // The value that a function returns is used, not the part that was there before.
    expect(
      broken([part(0, 0), ...[1, 2, 3].map((n) => part(4 * n, n, { register: 1 }))], { 16: BL, 20: ldrFrom(0) }),
    ).not.toContain(`0 ${USED}`);
  });

  it('is not reached from the data between functions', () => {
    // As KCFI puts a hash of its type before a function: here one that reads as a branch, behind code that does not return.
    const parts = [part(0, 0), part(4, 1), part(8, 2), part(12, 3)];
    const code = { 52: BL, 56: MOVZ, 60: branch(-0x38) };
    const references = [...referencesOf(builtModule(parts, { code }))];
    const brokenIn = (end: number) => brokenGroups(references, () => [{ offset: 0, end, symbol: 1 }]);
    expect(brokenIn(0x38)).toEqual([]);
    expect(brokenIn(0x40).map(({ reference }) => reference.offset)).toEqual([4]);
  });
});

it('has nothing to do with functions that begin outside of their section', () => {
  const { words, relocations } = chained(3);
  const data = Buffer.from(Uint32Array.from(words).buffer);
  const sections = [{ name: '.text', flags: ALLOC | EXEC, data, align: 8 }];
  const values = [-4n, -(2n ** 40n), BigInt(data.length), 2n ** 40n, 2n];
  const symbols = [{ name: 'jiffies' }, ...values.map((value) => ({ name: 'f', section: '.text', type: 2, value }))];
  const bytes = buildModule({ sections, symbols, relocations: { '.text': relocations } }, 'vermagic=6.1.0 SMP');
  const file = openModule(bytes, 'hostile');
  expect(codeOf(() => verifyModule(file, { model: 'large', allowAdrp: true }))).toBeUndefined();
});

describe('code that was made to take long', () => {
  it.each([
    ['continues one part in the next, backwards, thousands of times', chained(100_000), undefined],
    ['joins the parts of hundreds of functions', spread(50_000), 'BAD_LAYOUT'],
  ] as const)('%s', (_, { words, relocations, functions }, code) => {
    const data = Buffer.from(Uint32Array.from(words).buffer);
    const sections = [{ name: '.text', flags: ALLOC | EXEC, data, align: 8 }];
    const symbols = [
      { name: 'jiffies' },
      ...functions.map((value) => ({ name: 'f', section: '.text', type: 2, value })),
    ];
    const bytes = buildModule({ sections, symbols, relocations: { '.text': relocations } }, 'vermagic=6.1.0 SMP');
    const file = openModule(bytes, 'hostile');
    expect(codeOf(() => verifyModule(file, { model: 'large', allowAdrp: true }))).toBe(code);
  });
});

interface HostileCode {
  readonly words: readonly number[];
  readonly relocations: readonly ObjectRelocation[];
  readonly functions: readonly bigint[];
}

/** Every MOVK continues the one behind it. */
function chained(count: number): HostileCode {
  const words = [branch(4 * (2 * count - 1))];
  const relocations: ObjectRelocation[] = [];
  for (let i = 0; i < count; i++) {
    relocations.push({ offset: 4 * words.length, type: TYPES[0]!, symbol: 'jiffies' });
    words.push(MOVK, i === 0 ? RET : branch(-12));
  }
  return { words, relocations, functions: [] };
}

/** Every register gets 16 parts, each in a function of its own, that all lead to one long block. */
function spread(length: number): HostileCode {
  const [registers, parts] = [31, 16];
  const block = 1 + 2 * registers * parts;
  const words = [RET];
  const relocations: ObjectRelocation[] = [];
  const functions: bigint[] = [];
  for (let k = 0; k < registers * parts; k++) {
    const offset = 4 * words.length;
    functions.push(BigInt(offset));
    relocations.push({ offset, type: TYPES[0]!, symbol: 'jiffies', addend: BigInt(8 * k) });
    words.push((MOVZ | (k % registers)) >>> 0, branch(4 * block - offset - 4));
  }
  return { words: [...words, ...Array<number>(length).fill(NOP), RET], relocations, functions };
}
