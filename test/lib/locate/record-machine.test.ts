import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatVa, va } from '../../../lib/address.js';
import { ERAS, eraByKey } from '../../../lib/kaslr/era.js';
import { type BootRecord, readBootRecord } from '../../../lib/locate/boot-record.js';
import { locate } from '../../../lib/locate/locate.js';
import { contradictionsWith, machineOfRecord, possibleGeometries } from '../../../lib/locate/record-machine.js';
import { codeOf } from '../../support/thrown.js';

const address = (x: bigint) => va(Number(BigInt.asIntN(64, x)));
const recordOf = (record: Partial<BootRecord>): BootRecord => ({ offset: 0x495d77c00000n, offsets: 1, ...record });

describe('machineOfRecord', () => {
  const actualBits = (record: Partial<BootRecord>, key: string, pageSize?: number) =>
    machineOfRecord(recordOf(record), { era: eraByKey(key), pageSize }).geometries.map(({ vaBits, vaBitsActual }) => [
      vaBits,
      vaBitsActual,
    ]);

  it.each([
    ['4.6', '0xffff000008000000', 4096, [[48, 48]]],
    ['4.17', '0xffffff8008000000', 4096, [[39, 39]]],
    ['5.4', '0xffffffc010000000', 4096, [[39, 39]]],
    ['6.0', '0xffff800008000000', 4096, [[48, 48]]],
    [
      '6.0',
      '0xffff800008000000',
      65536,
      [
        [48, 48],
        [52, 48],
        [52, 52],
      ],
    ],
    ['6.9', '0xffffffc080000000', 4096, [[39, 39]]],
    [
      '6.9',
      '0xffff800080000000',
      4096,
      [
        [48, 48],
        [52, 48],
        [52, 52],
      ],
    ],
    [
      '6.9',
      '0xffffc00080000000',
      16384,
      [
        [47, 47],
        [52, 47],
        [52, 52],
      ],
    ],
  ] as const)('reads VA bits off the link address in era %s: %s, pages of %d', (key, from, pageSize, expected) => {
    expect(actualBits({ kimageVaddr: address(BigInt(from)) }, key, pageSize)).toEqual(expected);
  });

  it('follows vmcoreinfo where it says', () => {
    expect(actualBits({ vaBits: 52, vaBitsActual: 52 }, '6.9')).toEqual([[52, 52]]);
    expect(actualBits({ vaBits: 52 }, '6.9')).toEqual([
      [52, 48],
      [52, 52],
    ]);
    expect(actualBits({ vaBits: 47, pageSize: 16384 }, '6.9')).toEqual([[47, 47]]);
  });

  it('links a kernel where the record says, else where its era links it', () => {
    const linkBase = (record: Partial<BootRecord>, key: string) =>
      formatVa(machineOfRecord(recordOf({ vaBits: 48, ...record }), { era: eraByKey(key) }).machine.linkBase!);
    expect(linkBase({}, '6.0')).toBe('0xffff800008000000');
    // 5.17 dropped the region of the BPF JIT without any other change.
    expect(linkBase({ kimageVaddr: address(0xffff800008000000n) }, '5.4')).toBe('0xffff800008000000');
  });

  it('adds TEXT_OFFSET, which kernels had until 5.7', () => {
    const linkBase = (key: string, version?: BootRecord['version']) => {
      const record = recordOf({ vaBits: 48, ...(version && { version }) });
      return formatVa(machineOfRecord(record, { era: eraByKey(key) }).machine.linkBase!);
    };
    expect(linkBase('5.4', { major: 5, minor: 7 })).toBe('0xffff800010080000');
    expect(linkBase('5.4', { major: 5, minor: 8 })).toBe('0xffff800010000000');
    expect(linkBase('5.4')).toBe('0xffff800010000000');
    expect(linkBase('4.17')).toBe('0xffff000008080000');
    expect(linkBase('4.17', { major: 4, minor: 19 })).toBe('0xffff000008080000');
  });

  it('refuses a record that leaves VA bits open, or a link address that no arm64 kernel has', () => {
    expect(codeOf(() => machineOfRecord(recordOf({}), { era: eraByKey('6.0') }))).toBe('MISSING_INPUT');
    // x86-64: `Kernel Offset: 0x1c000000 from 0xffffffff81000000`.
    expect(codeOf(() => actualBits({ kimageVaddr: address(0xffffffff81000000n) }, '6.0'))).toBe('BAD_LAYOUT');
    expect(codeOf(() => actualBits({ kimageVaddr: va(0x1000) }, '6.0'))).toBe('BAD_LAYOUT');
    expect(codeOf(() => actualBits({ vaBits: 48, pageSize: 8192 }, '6.0'))).toBe('BAD_LAYOUT');
  });
});

describe('a hostile log', () => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((x) => x.toString(16));
  const line = fc.oneof(
    fc.tuple(number, number).map(([offset, from]) => `Kernel Offset: 0x${offset} from 0x${from}`),
    fc.tuple(number, number).map(([offset, from]) => `Kernel Offset: 0x${offset.slice(4)} from 0xffff${from.slice(4)}`),
    number.map((x) => `KERNELOFFSET=${x}`),
    number.map((x) => `SYMBOL(_stext)=${x}`),
    number.map((x) => `NUMBER(MODULES_END)=0x${x}`),
    number.map((x) => `NUMBER(kimage_voffset)=0x${x}`),
    fc.nat(99).map((x) => `NUMBER(VA_BITS)=${x}`),
    fc.nat(255).map((x) => `NUMBER(TCR_EL1_T1SZ)=0x${x.toString(16)}`),
    fc.nat(99999).map((x) => `PAGESIZE=${x}`),
    fc.tuple(fc.nat(999), fc.nat(999)).map(([major, minor]) => `Linux version ${major}.${minor} (x)`),
    fc.string(),
  );

  it('is read and explained, or refused by an error of our own', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom(...ERAS), (lines, era) => {
        const code = codeOf(() => {
          const record = readBootRecord(lines);
          const { machine, geometries } = machineOfRecord(record, { era });
          locate(machine, va(machine.linkBase! + Number(record.offset)), geometries);
        });
        // Anything else is an error that escaped.
        expect(['undefined', 'string']).toContain(typeof code);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('possibleGeometries', () => {
  const actual = (vaBits: number, cpu?: number) =>
    possibleGeometries({ pageSize: 4096, vaBits }, cpu).map((g) => g.vaBitsActual);

  it('takes both kinds of CPU for a kernel that adapts, and the one given otherwise', () => {
    expect(actual(52)).toEqual([48, 52]);
    expect(actual(52, 52)).toEqual([52]);
    expect(actual(52, 48)).toEqual([48]);
    expect(actual(48)).toEqual([48]);
    expect(codeOf(() => actual(48, 39))).toBe('BAD_LAYOUT');
  });
});

describe('contradictionsWith', () => {
  const linked: Readonly<Record<string, bigint[]>> = {
    _stext: [0xffff800008010000n],
    prb: [0xffff80000a000010n, 0xffff80000a000020n],
    mem_section: [0xffff80000a000030n],
  };
  const symbols = (...told: [string, bigint][]) => ({ symbols: new Map(told) });
  const kernel = {
    release: '6.1.0-56-arm64',
    kimageVaddr: address(0xffff800008000000n),
    vaBits: 48,
    pageSize: 4096,
    linkAddresses: (name: string) => (linked[name] ?? []).map(address),
    buildIds: ['aa'.repeat(20), 'bb'.repeat(20)],
  };

  it('finds none where the record says nothing, or the same', () => {
    expect(contradictionsWith(recordOf({}), kernel)).toEqual([]);
    const { release, kimageVaddr, vaBits, pageSize } = kernel;
    const same = {
      ...{ release, kimageVaddr, vaBits, pageSize, buildId: 'bb'.repeat(20) },
      ...symbols(
        ['_stext', 0xffffc95d7fc10000n],
        ['prb', 0xffffc95d81c00020n],
        ['unknown', 1n],
        // A pointer into the linear map.
        ['mem_section', 0xffff00003fdd1000n],
      ),
    };
    expect(contradictionsWith(recordOf(same), kernel)).toEqual([]);
    expect(contradictionsWith(recordOf({ buildId: 'cc'.repeat(20) }), { ...kernel, buildIds: [] })).toEqual([]);
  });

  it.each([
    ['the release', { release: '6.1.0-55-arm64' }],
    ['the link address', { kimageVaddr: address(0xffff800010000000n) }],
    ['VA_BITS', { vaBits: 39 }],
    ['the page size', { pageSize: 65536 }],
    ["_stext's link address", symbols(['_stext', 0xffffc95d7fc20000n])],
    ["prb's link address", symbols(['_stext', 0xffffc95d7fc10000n], ['prb', 0xffffc95d81c00028n])],
    ["_stext's link address", symbols(['_stext', 0n])],
  ])('names %s where it differs', (what, record) => {
    const found = contradictionsWith(recordOf(record), kernel);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${what} is .* in the log and .* in the kernel file$`));
  });

  it('names a build ID that is not in the kernel file', () => {
    expect(contradictionsWith(recordOf({ buildId: 'cc'.repeat(20) }), kernel)).toEqual([
      `the build ID is ${'cc'.repeat(20)} in the log and not in the kernel file`,
    ]);
  });
});
