/** Our own modules against the slow reference, every byte of every section, near the kernel and far from it. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ModuleError, RelocationError } from '../../../lib/errors.js';
import { run } from '../../support/a64-interpreter.js';
import { reservedEntries, usedEntries } from '../../support/branch-count.js';
import { type ReferenceLoad, referenceLoad, sortedExceptionTable } from '../../support/reference-load.js';
import { type LoadedSample, SampleSession } from '../../support/sample-session.js';

const MODERN = [
  'exporter',
  'importer',
  'large',
  'many_calls',
  'percpu',
  'init_only',
  'large_literal',
  'large_movw',
  'mixed',
  'every_relocation',
];
const STYLES = [
  { style: '4.6', modules: ['exporter', 'importer', 'large'], entrySize: 8 },
  { style: '6.1', modules: MODERN, entrySize: 12 },
  { style: '6.12', modules: MODERN, entrySize: 12 },
];
const isInit = (section: string): boolean => section.startsWith('.init');
const isCore = (section: string): boolean => !isInit(section);
const bytesOf = ({ loaded }: LoadedSample, name: string) =>
  loaded.sections.find((section) => section.name === name)!.bytes;

/** Section names whose bytes differ from the reference's, after its branches are given the words that were written. */
function differences({ object, loaded }: LoadedSample, reference: ReferenceLoad, entrySize: number): string[] {
  const branches = new Set(reference.unreached.map(({ target, offset }) => `${target} ${offset}`));
  return loaded.sections
    .filter(({ index, name, bytes }) => {
      if (name === '.plt' || name === '.init.plt' || name === '.text.ftrace_trampoline') return false;
      let expected = reference.sections.get(index) ?? object.sections[index]!.data;
      if (name === '__ex_table') expected = sortedExceptionTable(expected, entrySize);
      return (
        bytes.length !== expected.length ||
        bytes.some((byte, at) => byte !== expected[at] && !branches.has(`${index} ${at & ~3}`))
      );
    })
    .map(({ name }) => name);
}

describe.each(STYLES)('modules of $style', ({ style, modules, entrySize }) => {
  describe.each(['near', 'far'] as const)('%s', (distance) => {
    const samples = new Map<string, LoadedSample>();
    beforeAll(async () => {
      const session = await SampleSession.open(style, { distance });
      for (const name of modules) samples.set(name, session.load(name));
    });

    it.each(modules)('%s: the bytes of the reference in every section', (name) => {
      const sample = samples.get(name)!;
      const reference = referenceLoad(sample.object, sample.addresses);
      expect(sample.loaded.sections.length).toBeGreaterThan(5);
      expect(differences(sample, reference, entrySize)).toEqual([]);
      if (distance === 'near') expect(reference.unreached).toEqual([]);
    });

    it.each(modules)('%s: every branch out of reach arrives through the PLT', (name) => {
      const { object, addresses, loaded } = samples.get(name)!;
      const memories = loaded.sections.map(({ address, bytes }) => ({ address: BigInt(address), bytes }));
      for (const { place, destination } of referenceLoad(object, addresses).unreached) {
        expect(run(memories, place, destination).pc).toBe(BigInt.asIntN(64, destination));
      }
    });

    it.each(modules)('%s: as many PLT entries as counted by hand', (name) => {
      const { object, addresses, loaded } = samples.get(name)!;
      const { unreached } = referenceLoad(object, addresses);
      const split = style !== '4.6';
      const reserved = (takes: (section: string) => boolean) => reservedEntries(object, takes);
      const used = (takes: (section: string) => boolean) =>
        usedEntries(unreached.filter(({ target }) => takes(object.sections[target]!.name)));
      if (split) {
        expect(loaded.plt).toEqual({
          core: { used: used(isCore), reserved: reserved(isCore) },
          init: { used: used(isInit), reserved: reserved(isInit) },
        });
      } else expect(loaded.plt.init).toEqual({ used: 0, reserved: 0 });
    });
  });
});

describe.each(['6.1', '6.12'])('sample modules of %s', (style) => {
  it('load only after what they import from', async () => {
    const session = await SampleSession.open(style, { distance: 'near' });
    const early = (() => {
      try {
        return session.load('importer');
      } catch (error) {
        return error;
      }
    })();
    expect(early).toBeInstanceOf(ModuleError);
    expect((early as ModuleError).details.symbols).toEqual(
      expect.arrayContaining([
        'exporter_double',
        'exporter_hits',
        'exporter_limit',
        'exporter_list',
        'exporter_lookup',
      ]),
    );
    session.load('exporter');
    expect(session.load('importer').loaded.name).toBe('importer');
  });

  it('export what __ksymtab names, not the static function of the same name that comes first', async () => {
    const { object, loaded, addresses } = (await SampleSession.open(style, { distance: 'far' })).load('exporter');
    const namesakes = object.symbols.filter(({ name }) => name === 'exporter_lookup');
    expect(namesakes.map(({ bind }) => bind)).toEqual([0, 1]);
    const [hidden, exported] = namesakes.map(({ section, value }) => addresses.section(section)! + value);
    expect(hidden).not.toBe(exported);
    expect(BigInt(loaded.exports.get('exporter_lookup')!)).toBe(exported);
    // A per-CPU variable is exported where its allocation is, outside the module's regions.
    expect(BigInt(loaded.exports.get('exporter_hits')!)).toBe(addresses.percpu);
    expect(loaded.sections.some(({ name }) => name === '.data..percpu')).toBe(false);
  });

  it('keep all calls of init_only in .init.plt', async () => {
    const sample = (await SampleSession.open(style, { distance: 'far' })).load('init_only');
    const { core, init } = sample.loaded.plt;
    expect(core).toEqual({ used: 0, reserved: 0 });
    expect(init.used).toBeGreaterThan(5);
    expect([...bytesOf(sample, '.plt')]).toEqual(Array(12).fill(0));
    expect(bytesOf(sample, '.init.plt').length).toBe((init.reserved + 1) * 12);
  });

  it('are refused if built PIC, by the name of the type', async () => {
    const session = await SampleSession.open(style, { distance: 'near' });
    expect(() => session.load('pic')).toThrow(RelocationError);
    expect(() => session.load('pic')).toThrow(/relocation R_AARCH64_(ADR_GOT_PAGE|LD64_GOT_LO12_NC) is not supported/);
  });
});
