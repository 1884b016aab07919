import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { va } from '../../../lib/address.js';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { loadModule, prepareModule } from '../../../lib/module/load.js';
import { type ModuleFile, openModule } from '../../../lib/module/module-file.js';
import { type Finding, verifyModule } from '../../../lib/verify/verify.js';
import { builtForEnvironment, builtForVersion } from '../../../lib/verify/vermagic.js';
import { readSample } from '../../support/sample.js';
import { codeOf } from '../../support/thrown.js';

const GIB = 2 ** 30;
const sample = (path: string): ModuleFile => openModule(readSample(`${path}.ko`), 'sample');
const summary = ({ severity, kind, function: name, symbol }: Finding) => `${severity} ${kind} ${name} ${symbol}`;
const errorsOf = (file: ModuleFile, allowAdrp = true) =>
  verifyModule(file, { allowAdrp }).findings.filter(({ severity }) => severity === 'error');

describe.each(['6.1', '6.12'])('verifyModule on the samples of %s', (version) => {
  it("finds nothing but notes on literal pools in GCC's large model", () => {
    const { model, findings } = verifyModule(sample(`${version}/large`), { allowAdrp: true });
    expect(model).toBe('large');
    // many_calls.c has 33 places that take an address out of a pool.
    expect(findings).toHaveLength(33);
    expect(new Set(findings.map(({ severity, kind }) => `${severity} ${kind}`))).toEqual(
      new Set(['note literal-pool']),
    );
  });

  it.each(['large_literal', 'large_movw'])('finds nothing at all in %s, not even without ADRP', (name) => {
    const file = sample(`${version}/${name}`);
    expect(verifyModule(file, { allowAdrp: false })).toMatchObject({ model: 'large', findings: [] });
  });

  it('finds the small object linked into a large module: what small_part.c refers to, and where', () => {
    const { model, findings } = verifyModule(sample(`${version}/mixed`), { allowAdrp: true });
    expect(model).toBe('large');
    expect(findings.filter(({ kind }) => kind !== 'literal-pool').map(summary)).toEqual([
      'note local small_part .data',
      'error external small_part sample_ticks',
      'error external small_part sample_limit',
      'error external small_part main_queue',
    ]);
  });

  it('refuses every ADRP where asked to, the pools included', () => {
    expect(errorsOf(sample(`${version}/large`), false)).toHaveLength(33);
    const mixed = errorsOf(sample(`${version}/mixed`), false);
    expect(mixed.filter(({ kind }) => kind === 'local').map(summary)).toEqual(['error local small_part .data']);
    expect(mixed).toHaveLength(37);
    expect(mixed.every(({ type }) => type === 275)).toBe(true);
  });

  it('names each GOT reference of position-independent code', () => {
    const { model, findings } = verifyModule(sample(`${version}/pic`), { allowAdrp: true });
    expect(model).toBe('pic');
    expect(findings.map(({ type }) => type)).toEqual([311, 312, 311, 312, 311, 312, 311, 312, 311, 312]);
    expect(new Set(findings.map(({ kind, severity }) => `${severity} ${kind}`))).toEqual(new Set(['error got']));
  });

  it.each(['many_calls', 'importer', 'init_only', 'erratum', 'every_relocation', 'percpu'])(
    'takes %s for a small module, safe within 4 GiB',
    (name) => {
      expect(verifyModule(sample(`${version}/${name}`), { allowAdrp: true })).toMatchObject({
        model: 'small',
        window: 4 * GIB,
        findings: [],
      });
    },
  );

  it('holds a small module to the large model if asked', () => {
    const { findings } = verifyModule(sample(`${version}/every_relocation`), { model: 'large', allowAdrp: true });
    expect(findings.map(summary)).toEqual([
      'error external every_relocation sample_ticks',
      'note local every_relocation .data',
      'error range every_relocation main_queue',
      'note local every_relocation later',
      'note local every_relocation later',
    ]);
  });

  it('says what narrows the window to 2 GiB: the export of a per-CPU variable, by PREL32', () => {
    const { window, findings } = verifyModule(sample(`${version}/exporter`), { allowAdrp: true });
    expect(window).toBe(2 * GIB);
    expect(findings.map(({ kind, section, type }) => ({ kind, section, type }))).toEqual([
      { kind: 'range', section: expect.stringMatching(/^__ksymtab/), type: 261 },
    ]);
  });
});

describe('verifyModule on the samples of 4.6', () => {
  it.each(['exporter', 'importer'])('takes %s for small, safe within 4 GiB by its data alone', (name) => {
    expect(verifyModule(sample(`4.6/${name}`), { allowAdrp: true })).toMatchObject({
      model: 'small',
      window: 4 * GIB,
      findings: [],
    });
    expect(errorsOf(sample(`4.6/${name}`), false).length).toBeGreaterThan(0);
  });
});

/** Loads a module alone, `distance` from the image, its regions side by side; the code of what goes wrong, if anything does. */
function loadAt(file: ModuleFile, kernel: Kernel, distance: number): unknown {
  const prepared = prepareModule(file, builtForEnvironment(file, builtForVersion(file)!));
  let next = kernel.linkBase + distance;
  const memory = new Map(
    [...prepared.layout.sizes].map(([region, size]) => {
      const address = va(next);
      next += Math.ceil(size / 4096) * 4096;
      return [region, address] as const;
    }),
  );
  return codeOf(() => loadModule(prepared, { memory }, (name) => kernel.exports().get(name)));
}

describe('the window that verifyModule reports, tried with the loader', () => {
  const MARGIN = 2 ** 20;

  it.each(['6.1/many_calls', '6.12/many_calls', '6.1/every_relocation', '6.1/init_only'])(
    '%s loads inside it and not outside',
    async (path) => {
      const kernel = await openKernel(readSample(`${path.split('/')[0]}/vmlinux`));
      const file = sample(path);
      const { window } = verifyModule(file, { allowAdrp: true });
      expect(loadAt(file, kernel, window - MARGIN)).toBeUndefined();
      expect(loadAt(file, kernel, -window + MARGIN)).toBeUndefined();
      // ADRP and PREL32 are out of range; a PLT entry is where they leave the branch.
      expect(loadAt(file, kernel, window + MARGIN)).toMatch(/^(OUT_OF_RANGE|UNREACHABLE)$/);
      expect(loadAt(file, kernel, -window - MARGIN)).toMatch(/^(OUT_OF_RANGE|UNREACHABLE)$/);
    },
  );

  it('a large module of 4.6, whose PLT entries are absolute, loads anywhere', async () => {
    const kernel = await openKernel(readSample('4.6/vmlinux'));
    const file = sample('4.6/large');
    expect(verifyModule(file, { allowAdrp: true }).window).toBe(Number.POSITIVE_INFINITY);
    const pages = fc.integer({ min: -(2 ** 30), max: 2 ** 30 });
    fc.assert(fc.property(pages, (distance) => loadAt(file, kernel, distance * 4096) === undefined));
  });
});

describe('a damaged module', () => {
  it.each(['mixed', 'large_movw'])('made of %s is judged or refused, and nothing else happens', (name) => {
    const bytes = readSample(`6.1/${name}.ko`);
    const damage = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 20 }), (changes) => {
        const copy = new Uint8Array(bytes);
        for (const [at, value] of changes) copy[at] = value;
        const code = codeOf(() => verifyModule(openModule(copy, name), { allowAdrp: true }));
        return code === undefined || typeof code === 'string';
      }),
      { numRuns: 1500 },
    );
  });
});
