import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { samplePath } from '../support/sample.js';
import { schemaViolations } from '../support/schema.js';

interface Candidate {
  section: string;
  offset: number;
  function: string | null;
  symbol: string;
  distance: number | null;
}

interface Explained {
  matched: string | null;
  pattern: string | null;
  module: string | null;
  rule: string | null;
  type: number | null;
  value: string | number | null;
  candidates: Candidate[];
}

const OVERFLOW = 'module tun: overflow in relocation type 261 val fffffdfffc000654';
const LOG = `[    0.000000] Linux version 6.12.35 (build@host)
[    0.000000] KASLR enabled
[    0.065751] Modules: 0 pages in range for non-PLT usage
[    2.000000] systemd[1]: Started.
`;

const module = samplePath('6.1/many_calls.ko');
const kernel = samplePath('6.1/vmlinux');
const TEXT = '0xffffa00000000000';
const BASE = '0xffffa00200000000';
const folder = temporaryFolder();

/** The address of a symbol at that text address, as the kernel prints it. */
function addressOf(name: string): string {
  const symbols = runJson<{ name: string; address: string }[]>('symbols', kernel, '--text', TEXT);
  return symbols.find((symbol) => symbol.name === name)!.address.slice(2);
}

interface Refusal {
  readonly line: string;
  readonly place: string;
  readonly symbol: string;
  readonly distance: number;
}

let refusal: Refusal | undefined;

/** What the loader gives up on if the module is 8 GiB away, in the kernel's words. */
function refusedLoad(): Refusal {
  refusal ??= refuseLoad();
  return refusal;
}

function refuseLoad(): Refusal {
  const refused = runRefused(['load', module, '--kernel', kernel, '--text', TEXT, '--module-base', BASE]);
  const [, place, symbol] = /\((\S+)\): .* references '(\w+)'$/.exec(refused)!;
  const address = addressOf(symbol!);
  const line = `module many_calls: overflow in relocation type 275 val ${address}`;
  const [, section, offset] = /^(.*)\+0x([0-9a-f]+)$/.exec(place!)!;
  expect(section).toBe('.text');
  const distance = BigInt(`0x${address}`) - BigInt(BASE) - BigInt(`0x${offset}`);
  return { line, place: place!, symbol: symbol!, distance: Number(distance) };
}

describe('explain', () => {
  it('gives an object for one line, an array for several', () => {
    expect(runJson('explain', OVERFLOW)).toEqual({
      matched: OVERFLOW,
      pattern: 'relocation-overflow',
      module: 'tun',
      meaning: expect.stringContaining('R_AARCH64_PREL32'),
      rule: null,
      type: 261,
      typeName: 'R_AARCH64_PREL32',
      value: '0xfffffdfffc000654',
      candidates: [],
      remedy: expect.any(String),
    });
    const both = runJson<Explained[]>('explain', OVERFLOW, 'vmap allocation for size 393216 failed');
    expect(both.map(({ pattern, value }) => [pattern, value])).toEqual([
      ['relocation-overflow', '0xfffffdfffc000654'],
      ['vmap-allocation', 393216],
    ]);
  });

  it('exits with 1 if it does not know a line, and still explains the others', () => {
    const { status, stdout, stderr } = run(['explain', 'KASLR enabled', 'gibberish', '--json']);
    expect([status, stderr]).toEqual([1, '']);
    const document = JSON.parse(stdout) as Explained[];
    expect(schemaViolations('explain', document)).toEqual([]);
    expect(document.map(({ matched }) => matched)).toEqual(['KASLR enabled', null]);
    const text = run(['explain', 'gibberish']);
    expect([text.status, text.stdout]).toEqual([1, 'gibberish: not a message that is known\n']);
  });

  it.each([[[]], [['-']]])('picks what it knows out of a log on standard input, with arguments %j', (args) => {
    const { status, stdout } = run(['explain', ...args, '--json'], { input: Buffer.from(LOG) });
    const document = JSON.parse(stdout) as Explained[];
    expect(schemaViolations('explain', document)).toEqual([]);
    expect(document.map(({ pattern, rule }) => [pattern, rule?.slice(0, 8)])).toEqual([
      ['kaslr-enabled', 'from 6.5'],
      ['pages-without-plt', 'from 6.5'],
    ]);
    expect(status).toBe(0);
    expect(run(['explain', LOG, '--json']).stdout).toBe(stdout);
  });

  it('says nothing of a log in which there is nothing to say', () => {
    const { status, stdout, stderr } = run(['explain', '--json'], { input: Buffer.from('all is well\n') });
    expect([status, stdout, stderr]).toEqual([0, '[]\n', '']);
  });

  it('finds the relocation at which a load stops, with everything known', () => {
    const { line, place, symbol, distance } = refusedLoad();
    const known = ['--module', module, '--kernel', kernel, '--text', TEXT, '--module-base', BASE];
    const { candidates, rule } = runJson<Explained>('explain', line, ...known);
    expect(`${candidates[0]!.section}+0x${candidates[0]!.offset.toString(16)}`).toBe(place);
    expect(candidates[0]).toMatchObject({ symbol, distance });
    expect(new Set(candidates.map((one) => one.symbol))).toEqual(new Set([symbol]));
    expect(rule).toMatch(/^5\.3 to 6\.4/);
    const text = run(['explain', line, ...known]).stdout;
    expect(text).toContain(`(${symbol})`);
    expect(text).toMatch(/^ {2}\.text\+0x[0-9a-f]+ +\S+ +\S+ +-\d+ \(8.0 GiB below\)$/m);
  });

  it('prints what binutils say of the three places that refer to sample_limit', () => {
    // The symbol is at 0x9140 of the image; the distances are its address less the module's base and the offset.
    const line = 'module many_calls: overflow in relocation type 275 val ffffa00000009140';
    const known = ['--module', 'many_calls.ko', '--kernel', 'vmlinux', '--text', TEXT, '--module-base', BASE];
    const { status, stdout, stderr } = run(['explain', line, ...known], { cwd: dirname(module) });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${line}
  means   A reference in the module cannot hold what it refers to, and the module is refused. It is
          of type R_AARCH64_ADR_PREL_PG_HI21 (275) and holds the distance from the place's page to
          the target's, which must be in [-4294967296, 4294967295]. val is S+A: the target is at
          0xffffa00000009140 (sample_limit); the place, which the kernel does not print, is 4 GiB or
          more below or above it.
  rule    5.3 to 6.4: with RANDOMIZE_MODULE_REGION_FULL modules go to 128 MiB within 2 GiB around
          the image, without to 128 MiB around its text; when those are full, to the 2 GiB from the
          same base.
  remedy  Compile the module with -mcmodel=large, as the kernel does for itself where distances can
          be that large, or keep modules near: without RANDOMIZE_MODULE_REGION_FULL, or nokaslr on
          the command line.
  place        function                  refers to     distance
  .text+0x40c  use_pool.constprop.0      sample_limit  -8589898444 (8.0 GiB below)
  .text+0x35c  use_counters.constprop.0  sample_limit  -8589898268 (8.0 GiB below)
  .text+0xb8   use_queue                 sample_limit  -8589897592 (8.0 GiB below)
`);
  });

  it('finds it with less, among more', () => {
    const { line, place } = refusedLoad();
    const counts = [
      ['--module', module],
      ['--module', module, '--kernel', kernel],
      ['--module', module, '--kernel', kernel, '--text', TEXT],
    ].map((known) => {
      const { candidates } = runJson<Explained>('explain', line, ...known);
      expect(candidates.map((one) => `${one.section}+0x${one.offset.toString(16)}`)).toContain(place);
      return candidates.length;
    });
    expect(counts[0]).toBeGreaterThan(counts[1]!);
    expect(counts[1]).toBeGreaterThanOrEqual(counts[2]!);
  });

  it('reads addresses from a plan', () => {
    const plan = join(folder, 'plan.json');
    writeFileSync(plan, JSON.stringify({ modules: [{ name: 'many_calls', memory: { core: BASE } }] }));
    const { line, place } = refusedLoad();
    const known = ['--module', module, '--kernel', kernel, '--text', TEXT];
    const [first] = runJson<Explained>('explain', line, ...known, '--at', plan).candidates;
    expect(`${first!.section}+0x${first!.offset.toString(16)}`).toBe(place);
    writeFileSync(plan, JSON.stringify({ modules: [] }));
    expect(runRefused(['explain', line, ...known, '--at', plan])).toContain('no addresses of many_calls');
  });

  it('says that a line names another module than the one at hand', () => {
    const { status, stdout } = run(['explain', OVERFLOW, '--module', module]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}place {3}the line names tun, not many_calls, where nothing was looked for\.$/m);
    expect(runJson<Explained>('explain', OVERFLOW, '--module', module)).toMatchObject({
      module: 'tun',
      candidates: [],
    });
    expect(run(['explain', 'tun: module PLT section(s) missing', '--module', module]).stdout).toContain(
      'not many_calls',
    );
    expect(run(['explain', OVERFLOW]).stdout).not.toMatch(/^ {2}place/m);
  });

  it('says that nothing in the module at hand fits, where something could', () => {
    const none = 'none in many_calls can be what the line is about.';
    const placesOf = (line: string) => run(['explain', line, '--module', module]).stdout.split('\n  place   ')[1];
    expect(placesOf('unsupported RELA relocation: 311')).toBe(`${none}\n`);
    expect(placesOf('many-calls: Unknown symbol no_such_symbol (err -2)')).toBe(`${none}\n`);
    expect(placesOf('KASLR enabled')).toBeUndefined();
    expect(placesOf('many_calls: module PLT section(s) missing')).toBeUndefined();
  });

  it('lists where a module has a type that a kernel refuses', () => {
    const pic = samplePath('6.12/pic.ko');
    const { candidates } = runJson<Explained>('explain', 'unsupported RELA relocation: 311', '--module', pic);
    expect(candidates).toHaveLength(5);
    expect(candidates.every((one) => one.distance === null)).toBe(true);
    expect(
      run(['explain', 'unsupported RELA relocation: 275', '--module', samplePath('6.1/mixed.ko')]).stdout,
    ).toContain('and 17 more (--json lists them)');
  });

  it('takes the kernel from --era, before what the module was built for', () => {
    const ruleOf = (...args: string[]) => runJson<Explained>('explain', OVERFLOW, ...args).rule!.slice(0, 10);
    expect(ruleOf('--era', '4.17')).toBe('4.17 to 5.');
    expect(ruleOf('--module', module)).toBe('5.3 to 6.4');
    expect(ruleOf('--module', module, '--era', '4.6')).toBe('4.6 to 4.1');
  });

  it('folds text for a person', () => {
    const lines = run(['explain', OVERFLOW]).stdout.split('\n');
    expect(lines[0]).toBe(OVERFLOW);
    expect(lines[1]).toMatch(/^ {2}means {3}\S/);
    expect(Math.max(...lines.slice(1).map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('refuses options that say nothing without another', () => {
    expect(runRefused(['explain', OVERFLOW, '--seed', '1'])).toBe('--seed needs --kernel');
    expect(runRefused(['explain', OVERFLOW, '--module-base', BASE])).toBe('--module-base needs --module');
    expect(runRefused(['explain', OVERFLOW, '--module', module, '--module-base', '0xffff800000000001'])).toContain(
      'not page aligned',
    );
    expect(runRefused(['explain', '-', OVERFLOW])).toContain('comes alone');
    expect(runRefused(['explain', OVERFLOW, '--module', kernel])).toContain('vmlinux: ');
  });
});
