import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused } from '../support/cli.js';
import { samplePath } from '../support/sample.js';
import { schemaViolations } from '../support/schema.js';

interface Finding {
  severity: string;
  section: string;
  offset: number;
  function: string | null;
  type: number;
  symbol: string;
  addend: string;
  kind: string;
}

interface Verified {
  modules: { name: string; file: string; model: string; window: number | null; findings: Finding[] }[];
}

const sample = (name: string): string => samplePath(`6.1/${name}.ko`);

/** The JSON of a run that finds errors. */
function runFailing(...args: string[]): Verified {
  const { status, stdout, stderr } = run(['verify', ...args, '--json']);
  expect([status, stderr]).toEqual([1, '']);
  const document = JSON.parse(stdout) as Verified;
  expect(schemaViolations('verify', document)).toEqual([]);
  return document;
}

describe('verify', () => {
  it('ends well for large modules of either kind, with notes for pools', () => {
    const { modules } = runJson<Verified>('verify', ...['large', 'large_literal', 'large_movw'].map(sample));
    expect(modules.map(({ name, model, findings }) => [name, model, findings.length])).toEqual([
      ['large', 'large', 33],
      ['large_literal', 'large', 0],
      ['large_movw', 'large', 0],
    ]);
    expect(modules[0]!.file).toBe(sample('large'));
    expect(new Set(modules[0]!.findings.map(({ severity }) => severity))).toEqual(new Set(['note']));
  });

  it('exits with 1 if any module has an error, and still tells of all', () => {
    const { modules } = runFailing(sample('many_calls'), sample('mixed'), sample('pic'));
    expect(modules.map(({ name, model }) => `${name} ${model}`)).toEqual([
      'many_calls small',
      'mixed large',
      'pic pic',
    ]);
    expect(modules[0]!.findings).toEqual([]);
    expect(modules[1]!.findings.find(({ severity }) => severity === 'error')).toMatchObject({
      section: '.text',
      function: 'small_part',
      type: 275,
      symbol: 'sample_ticks',
      addend: '0x0000000000000000',
      kind: 'external',
    });
    expect(modules[2]!.findings.every(({ kind }) => kind === 'got')).toBe(true);
  });

  it('makes pools an error with --no-adrp, unless no ADRP reaches them', () => {
    expect(runFailing(sample('large'), '--no-adrp').modules[0]!.findings).toHaveLength(33);
    expect(runJson<Verified>('verify', sample('large_literal'), '--no-adrp').modules[0]!.findings).toEqual([]);
  });

  it('checks the model that is asked for', () => {
    const { modules } = runFailing(sample('many_calls'), '--model', 'large');
    expect(modules[0]!.model).toBe('large');
    expect(modules[0]!.findings.some(({ kind }) => kind === 'external')).toBe(true);
    expect(runJson<Verified>('verify', sample('mixed'), '--model', 'small').modules[0]).toMatchObject({
      model: 'small',
      window: 2 ** 32,
      findings: [],
    });
    expect(runJson<Verified>('verify', samplePath('4.6/large.ko')).modules[0]!.window).toBe(null);
  });

  it('prints diagnostics a line each, as compilers do, and errors only if quiet', () => {
    const { status, stdout } = run(['verify', sample('mixed')]);
    expect(status).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    const diagnostics = lines.filter((line) =>
      /^\S+\.ko:\.\S+\+0x[0-9a-f]+: (error|note): in \S+\(\): R_AARCH64_/.test(line),
    );
    expect(diagnostics).toHaveLength(37);
    expect(lines.at(-1)).toBe(`${sample('mixed')}: large code model: 3 errors, 34 notes`);
    expect(stdout).toContain('remedy: compile this object with -mcmodel=large');
    const quiet = run(['verify', sample('mixed'), '--quiet']).stdout;
    expect(quiet.match(/: error: /g)).toHaveLength(3);
    expect(quiet).not.toContain(': note: ');
  });

  it('says of the small object in a large module what objdump shows at these places', () => {
    const { status, stdout, stderr } = run(['verify', 'mixed.ko', '--quiet'], { cwd: dirname(sample('mixed')) });
    const far = (offset: string, symbol: string): string =>
      `mixed.ko:.text+${offset}: error: in small_part(): R_AARCH64_ADR_PREL_PG_HI21 (275) to '${symbol}' ` +
      'leaves the module and reaches no further than 4 GiB [external-page]';
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout.split('\n')).toEqual([
      far('0x774', 'sample_ticks'),
      far('0x778', 'sample_limit'),
      far('0x7a0', 'main_queue'),
      'mixed.ko: external-page: kernels that refuse it: 4.6 to 4.16 with CONFIG_RANDOMIZE_MODULE_REGION_FULL, where the ' +
        'module lands further away; those before 4.17 with CONFIG_ARM64_ERRATUM_843419, which take no ADRP (275, 276) ' +
        'whatever its target',
      'mixed.ko: external-page: remedy: compile this object with -mcmodel=large',
      'mixed.ko: large code model: 3 errors, 34 notes',
      '',
    ]);
  });

  it('says how near a small module must be to what it refers to', () => {
    expect(run(['verify', sample('many_calls')]).stdout).toMatch(
      /small code model: 0 errors, 0 notes; safe within 4 GiB/,
    );
    expect(run(['verify', sample('exporter')]).stdout).toMatch(/0 errors, 1 note; safe within 2 GiB/);
    expect(run(['verify', samplePath('4.6/large.ko')]).stdout).toMatch(/0 errors, 33 notes; safe anywhere\n$/);
  });

  it('prints SARIF with the same findings and the same exit code', () => {
    const { status, stdout, stderr } = run(['verify', sample('mixed'), '--sarif']);
    expect([status, stderr]).toEqual([1, '']);
    const log = JSON.parse(stdout) as { version: string; runs: { results: { level: string }[] }[] };
    expect(log.version).toBe('2.1.0');
    expect(log.runs[0]!.results.map(({ level }) => level)).toEqual(
      runFailing(sample('mixed')).modules[0]!.findings.map(({ severity }) => severity),
    );
    expect(run(['verify', sample('large_movw'), '--sarif']).status).toBe(0);
  });

  it('refuses what is no module, and two forms of output', () => {
    expect(runRefused(['verify', samplePath('6.1/vmlinux')])).toMatch(/vmlinux: ELF type 3 is not expected here$/);
    expect(runRefused(['verify', sample('large'), '/no/such.ko'])).toBe('/no/such.ko: no such file');
    expect(runRefused(['verify', sample('large'), '--sarif', '--json'])).toContain('mutually exclusive');
    expect(runRefused(['verify', sample('large'), '--model', 'tiny'])).toContain('model');
  });
});
