import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toU64, type Va, va } from '../../../lib/address.js';
import { RelocationError } from '../../../lib/errors.js';
import { type Candidate, findCandidates, type SearchedModule } from '../../../lib/explain/candidate.js';
import { explainLine } from '../../../lib/explain/explain.js';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { loadModule, type PreparedModule, prepareModule } from '../../../lib/module/load.js';
import { openModule } from '../../../lib/module/module-file.js';
import { summarizeModule } from '../../../lib/verify/module-summary.js';
import { builtForEnvironment, builtForVersion } from '../../../lib/verify/vermagic.js';
import { readSample } from '../../support/sample.js';
import { codeOf } from '../../support/thrown.js';
import { type BuiltReference, builtModule } from '../verify/built-module.js';

const GIB = 2 ** 30;

function prepared(name: string): PreparedModule {
  const file = openModule(readSample(`${name}.ko`), 'sample');
  return prepareModule(file, builtForEnvironment(file, builtForVersion(file)!));
}

const place = ({ section, offset, symbol }: Candidate) => `${section}+${offset} ${symbol}`;

/** What the loader, which judges every relocation, says of a module whose regions are at these addresses. */
function refusal(module: PreparedModule, kernel: Kernel, offset: number, memory: ReadonlyMap<string, Va>) {
  const lookup = (name: string): Va | undefined => {
    const address = kernel.exports().get(name);
    return address === undefined ? undefined : va(address + offset);
  };
  try {
    loadModule(module, { memory: memory as never, percpu: va(kernel.linkBase + offset) }, lookup);
    return undefined;
  } catch (error) {
    if (!(error instanceof RelocationError) || error.code !== 'OUT_OF_RANGE') return undefined;
    const { type, S, A, section, offset: at, symbol } = error.details;
    const value = BigInt.asUintN(64, BigInt(S as string) + (A as bigint));
    return {
      type: type as number,
      value,
      place: `${section}+${at} ${symbol}`,
      distance: error.details.value as bigint,
    };
  }
}

/** The modules as they are known from less to more: file alone, kernel too, its address too, the module's own too. */
function knowledge(
  module: PreparedModule,
  kernel: Kernel,
  offset: number,
  memory: ReadonlyMap<string, Va>,
): SearchedModule[] {
  const exportOf = (slide: number, isExact: boolean) => (name: string) => {
    const address = kernel.exports().get(name);
    return address === undefined ? undefined : { address: toU64(va(address + slide)), isExact };
  };
  const addresses = { memory: memory as never };
  return [
    { prepared: module },
    { prepared: module, exportOf: exportOf(0, false) },
    { prepared: module, exportOf: exportOf(offset, true) },
    { prepared: module, exportOf: exportOf(offset, true), addresses },
  ];
}

describe.each(['6.1/many_calls', '6.1/every_relocation', '6.12/exporter', '6.12/every_relocation'])(
  'findCandidates for %s, refused at random addresses',
  (name) => {
    const module = prepared(name);
    const regions = [...module.layout.sizes.keys()];
    const pages = fc.integer({ min: -(2 ** 23), max: 2 ** 23 });

    it('always has the relocation that the loader gave up on, first of all once everything is known', async () => {
      const kernel = await openKernel(readSample(`${name.split('/')[0]}/vmlinux`));
      let refused = 0;
      fc.assert(
        fc.property(fc.nat(2 ** 20), fc.array(pages, { minLength: 7, maxLength: 7 }), (slide, distances) => {
          const offset = slide * 2 ** 21;
          const memory = new Map(
            regions.map((region, i) => [region, va(kernel.linkBase + offset + distances[i]! * 4096)]),
          );
          const failed = refusal(module, kernel, offset, memory);
          if (!failed) return;
          refused++;
          const found = knowledge(module, kernel, offset, memory).map((known) => findCandidates(known, failed));
          for (const candidates of found) expect(candidates.map(place)).toContain(failed.place);
          const counts = found.map(({ length }) => length);
          expect(counts).toEqual([...counts].sort((a, b) => b - a));
          expect(place(found.at(-1)![0]!)).toBe(failed.place);
          expect(found.at(-1)!.every(({ symbol }) => symbol === found.at(-1)![0]!.symbol)).toBe(true);
        }),
        { numRuns: 100 },
      );
      expect(refused).toBeGreaterThan(50);
    });
  },
);

describe('findCandidates', () => {
  const search = (references: readonly BuiltReference[], known: Omit<SearchedModule, 'prepared'> = {}) => {
    const file = builtModule(references);
    const module = prepareModule(file, builtForEnvironment(file, builtForVersion(file)!));
    return (query: { type?: number; symbol?: string; value?: bigint }) =>
      findCandidates({ prepared: module, ...known }, query).map(place);
  };
  const prel32 = (offset: number, symbol: string, addend = 0n): BuiltReference => ({
    section: '.rodata',
    offset,
    type: 261,
    symbol,
    addend,
  });

  it('finds all of a type, or all of a symbol', () => {
    const find = search([prel32(0, 'start'), prel32(8, 'jiffies'), { offset: 0x20, type: 275, symbol: 'jiffies' }]);
    expect(find({ type: 275 })).toEqual(['.text+32 jiffies']);
    expect(find({ symbol: 'jiffies' }).sort()).toEqual(['.rodata+8 jiffies', '.text+32 jiffies']);
    expect(find({ type: 999 })).toEqual([]);
  });

  it('rules out what is in range wherever the module is: the same region', () => {
    // Up to 6.3 .text and .rodata lie in one region, .init.text in another.
    const find = search([prel32(0, 'start'), prel32(8, 'setup')]);
    expect(find({ type: 261, value: 0xffff800000000000n })).toEqual(['.rodata+8 setup']);
  });

  it('rules out what lies elsewhere in its page', () => {
    const find = search([prel32(0, 'setup'), prel32(8, 'setup', 0x10n), prel32(16, 'jiffies')]);
    expect(find({ type: 261, value: 0xffff800000000010n })).toEqual(['.rodata+8 setup', '.rodata+16 jiffies']);
    const known = search([prel32(16, 'jiffies')], {
      exportOf: () => ({ address: 0xffff800008001234n, isExact: false }),
    });
    expect(known({ type: 261, value: 0xffff912345678234n })).toEqual(['.rodata+16 jiffies']);
    expect(known({ type: 261, value: 0xffff912345678238n })).toEqual([]);
  });

  it('takes only exact ones if there are any', () => {
    const exportOf = (name: string) =>
      name === 'jiffies' ? { address: 0xffff912345678010n, isExact: true } : undefined;
    const find = search([prel32(0, 'setup', 0x10n), prel32(8, 'jiffies'), prel32(16, 'maybe')], { exportOf });
    expect(find({ type: 261, value: 0xffff912345678010n })).toEqual(['.rodata+8 jiffies']);
    expect(find({ type: 261, value: 0xffff912345679010n })).toEqual(['.rodata+0 setup', '.rodata+16 maybe']);
  });

  it('takes a val of 0 for a weak symbol', () => {
    const find = search([prel32(0, 'setup'), prel32(8, 'jiffies'), prel32(16, 'maybe'), prel32(24, 'maybe', 8n)]);
    expect(find({ type: 261, value: 0n })).toEqual(['.rodata+16 maybe']);
    expect(find({ type: 261, value: 8n })).toEqual(['.rodata+24 maybe']);
  });

  it('knows absolute symbols by their value', () => {
    const find = search([{ section: '.rodata', type: 259, symbol: 'checksum' }]);
    expect(find({ type: 259, value: 0xfedcba98n })).toEqual(['.rodata+0 checksum']);
    expect(find({ type: 259, value: 0xfedcba99n })).toEqual([]);
  });

  it('tells how far the target is, above or below, where both ends are known', () => {
    const module = prepared('6.1/many_calls');
    const base = va(-0x6000_0000_0000);
    const [found] = findCandidates(
      { prepared: module, addresses: { memory: new Map([['core', base]]) } },
      { type: 275, value: toU64(va(base + 8 * GIB)) },
    );
    expect(found!.distance).toBe(BigInt(8 * GIB - found!.offset));
    const [below] = findCandidates(
      { prepared: module, addresses: { memory: new Map([['core', base]]) } },
      { type: 275, value: toU64(va(base - 8 * GIB)) },
    );
    expect(below!.distance).toBe(BigInt(-8 * GIB - below!.offset));
  });
});

describe('a damaged module', () => {
  it('is searched or refused, and nothing else happens', () => {
    const bytes = readSample('6.1/many_calls.ko');
    const damage = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 20 }), (changes) => {
        const copy = new Uint8Array(bytes);
        for (const [at, value] of changes) copy[at] = value;
        const code = codeOf(() => {
          const file = openModule(copy, 'many_calls');
          const module = prepareModule(file, builtForEnvironment(file, { major: 6, minor: 1 }));
          for (const type of [257, 275, 283])
            findCandidates({ prepared: module }, { type, value: 0xffff800012345678n });
          summarizeModule(file);
        });
        return code === undefined || typeof code === 'string';
      }),
      { numRuns: 1000 },
    );
  });
});

describe('explainLine with a module', () => {
  const module: SearchedModule = { prepared: prepared('6.1/pic') };
  const countOf = (line: string) => explainLine(line, { module })!.candidates.length;

  it('lists places only if the line names no other module', () => {
    expect(countOf('unsupported RELA relocation: 311')).toBe(5);
    expect(countOf('module pic: unsupported RELA relocation: 311')).toBe(5);
    expect(countOf('module pick: unsupported RELA relocation: 311')).toBe(0);
    expect(countOf('pic: Unknown symbol sample_ticks (err -2)')).toBe(2);
    expect(countOf('KASLR enabled')).toBe(0);
  });

  it('names what of the kernel a value is', () => {
    const context = { nameOf: (address: bigint) => (address === 0xffff800008001000n ? 'sample_ticks' : undefined) };
    const meaningOf = (value: string) => explainLine(`overflow in relocation type 275 val ${value}`, context)!.meaning;
    expect(meaningOf('ffff800008001000')).toContain('0xffff800008001000 (sample_ticks)');
    expect(meaningOf('ffff800008001008')).toContain('0xffff800008001008;');
  });
});
