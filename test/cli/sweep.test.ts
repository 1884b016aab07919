/** sweep and merge as they are run: documents, shards, options, interrupts. What is counted is tested in test/lib/sweep. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MAIN, run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { samplePath } from '../support/sample.js';

interface Used {
  min: number;
  max: number;
  mean: number;
}

interface Exact {
  era: string;
  placements: number;
  modules: { name: string; reserved: number; used: Used; distribution: { plts: number; probability: number }[] }[];
  total: { modules: number; reserved: number; used: Used };
}

interface Sampled {
  seeds: { seed: string; moduleSeed: string; text: string; moduleBase: string; plts: number; notLoaded: number }[];
  modules: { name: string; used: Used | null }[];
  total: { used: Used };
}

const folder = temporaryFolder();
const NAMES = ['many_calls', 'exporter', 'importer', 'init_only', 'percpu', 'large', 'erratum'];
const tree = join(folder, 'modules');
mkdirSync(tree);
for (const name of NAMES) cpSync(samplePath(`6.1/${name}.ko`), join(tree, `${name}.ko`));

const KERNEL = ['--kernel', samplePath('6.1/Image')];
const SWEEP = ['sweep', ...KERNEL, '--modules', tree];
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('sweep', () => {
  it('tells of each module how many entries it uses at every placement of its era', () => {
    const { era, placements, modules, total } = runJson<Exact>(...SWEEP);
    // 2 GiB less the image from _stext to _end, in pages of 4 KiB.
    expect({ era, placements }).toEqual({ era: '6.0', placements: 524_276 });
    expect(modules.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
    for (const { used, reserved, distribution } of modules) {
      expect(Math.abs(sum(distribution.map(({ probability }) => probability)) - 1)).toBeLessThan(1e-12);
      expect(used.max).toBeLessThanOrEqual(reserved);
      expect(sum(distribution.map(({ plts, probability }) => plts * probability))).toBeCloseTo(used.mean, 9);
      expect([used.min, used.max]).toEqual([distribution[0]!.plts, distribution.at(-1)!.plts]);
    }
    expect(modules.map(({ used }) => used.mean)).toEqual(modules.map(({ used }) => used.mean).sort((a, b) => b - a));
    expect(total.modules).toBe(NAMES.length);
    expect(total.reserved).toBe(sum(modules.map(({ reserved }) => reserved)));
    expect(total.used.mean).toBeCloseTo(sum(modules.map(({ used }) => used.mean)), 9);
  });

  it('prints the same by --csv and as a table, those that use most first', () => {
    const { modules } = runJson<Exact>(...SWEEP);
    const [head, ...lines] = run([...SWEEP, '--csv'])
      .stdout.trimEnd()
      .split('\n');
    expect(head).toBe('module,reserved,min,mean,p50,p90,p99,max');
    expect(lines.map((line) => [line.split(',')[0], Number(line.split(',')[3])])).toEqual(
      modules.map(({ name, used }) => [name, used.mean]),
    );
    const { stdout, stderr } = run([...SWEEP, '--top', '2']);
    expect(
      stdout
        .split('\n')
        .slice(1, 4)
        .map((line) => line.split(' ')[0]),
    ).toEqual([modules[0]!.name, modules[1]!.name, '']);
    expect(stderr).toBe('');
  });

  it('gives the same on one thread and on several', () => {
    const [one, three] = ['1', '3'].map((threads) => run([...SWEEP, '--json', '--threads', threads]).stdout);
    expect(one).toBe(three);
  });
});

describe('what if', () => {
  const used = (...options: string[]): Record<string, number> =>
    Object.fromEntries(runJson<Exact>(...SWEEP, ...options).modules.map(({ name, used }) => [name, used.max]));

  it('modules stay within reach of the kernel: no entry is ever used', () => {
    expect(new Set(Object.values(used('--no-full-region')))).toEqual(new Set([0]));
    expect(used('--full-region')).toEqual(used());
  });

  it('only some modules are looked at', () => {
    expect(Object.keys(used('--match', '*port?r')).sort()).toEqual(['exporter', 'importer']);
    expect(Object.keys(used('--match', '[!a-m]*'))).toEqual(['percpu']);
    expect(runRefused([...SWEEP, '--match', 'nobody*'])).toBe("no module matches --match 'nobody*'");
  });

  it('the erratum is worked around: veneers come on top', () => {
    expect(used('--erratum-843419').erratum).toBeGreaterThan(used().erratum!);
  });

  it('another era or page size has other placements', () => {
    const places = (...options: string[]): number => runJson<Exact>(...SWEEP, ...options).placements;
    expect(places('--page-size', '65536')).toBeLessThan(places('--page-size', '16384'));
    expect(places('--era', '6.5')).toBe((2 ** 31 - 13 * 4096) / 4096 + 1);
    expect(runRefused([...SWEEP, '--page-size', '8192'])).toMatch(/page size 8192 is not/);
  });

  it('_text is fixed: the region still moves', () => {
    const text = ['--text', '0xffffa00008000000'];
    expect(used(...text)).toEqual(used());
    const { seeds } = runJson<Sampled>(...SWEEP, ...text, '--seeds', '3');
    expect(new Set(seeds.map((one) => one.text))).toEqual(new Set(['0xffffa00008000000']));
    expect(new Set(seeds.map((one) => one.moduleBase)).size).toBe(3);
  });
});

describe('sweep --seeds', () => {
  it('boots the same seeds for everyone who names the same stream, whatever the era', () => {
    const seeds = (...options: string[]): string[] =>
      runJson<Sampled>(...SWEEP, '--seeds', '4', ...options).seeds.map(({ seed }) => seed);
    expect(seeds('--rng', 'a')).toEqual(seeds('--rng', 'a', '--era', '6.5'));
    expect(seeds('--rng', 'a')).not.toEqual(seeds('--rng', 'b'));
    expect(runJson<Sampled>(...SWEEP, '--seeds', '2', '--rng', 'a').seeds.map(({ seed }) => seed)).toEqual(
      seeds('--rng', 'a').slice(0, 2),
    );
  });

  it('counts what load finds with the same seeds, calls between modules and dependencies included', () => {
    const order = join(folder, 'order');
    writeFileSync(order, '# as lsmod lists them\nimporter 16384 0\nkernel/lib/many_calls.ko:\nnobody\n');
    const options = ['--match', '[im]*', '--order', order];
    const { seeds, modules } = runJson<Sampled>(...SWEEP, '--seeds', '3', ...options);
    // exporter comes with importer, which depends on it.
    expect(modules.map(({ name }) => name).sort()).toEqual(['exporter', 'importer', 'init_only', 'many_calls']);
    for (const { seed, moduleSeed, text, plts } of seeds) {
      const files = ['importer', 'many_calls', 'init_only'].map((name) => join(tree, `${name}.ko`));
      const place = ['--seed', seed, '--module-seed', moduleSeed, '--modules', tree];
      const loaded = runJson<{
        text: string;
        modules: { plt: Record<'core' | 'init', { used: number }> }[];
      }>('load', ...files, ...KERNEL, ...place);
      expect(loaded.text).toBe(text);
      expect(sum(loaded.modules.map(({ plt }) => plt.core.used + plt.init.used))).toBe(plts);
    }
  });

  it('needs every symbol from the kernel or a module in the list', () => {
    const importer = samplePath('6.1/importer.ko');
    expect(runRefused(['sweep', ...KERNEL, '--modules', importer, '--seeds', '1'])).toMatch(/importer: unknown symbol/);
  });
});

describe('merge', () => {
  const shards = (count: number, ...options: string[]): string[] =>
    Array.from({ length: count }, (_, i) => {
      const file = join(folder, `${options.length}-${i + 1}-of-${count}.json`);
      const { status, stdout, stderr } = run([...SWEEP, ...options, '--shard', `${i + 1}/${count}`, '--json']);
      expect([status, stderr]).toEqual([0, '']);
      writeFileSync(file, stdout);
      return file;
    });

  it.each([
    ['exact', []],
    ['sampled', ['--seeds', '7', '--rng', 'x']],
    ['with the erratum', ['--erratum-843419', '--era', '6.5']],
  ] as const)('joins shards to the very document of one run: %s', (_, options) => {
    const whole = run([...SWEEP, ...options, '--json']).stdout;
    // More shards than modules leave some empty.
    for (const count of [1, 3, 9]) {
      const files = shards(count, ...options);
      expect(run(['merge', ...files.reverse(), '--json']).stdout).toBe(whole);
    }
    const files = shards(2, ...options);
    expect(run(['merge', ...files, '--csv']).stdout).toBe(run([...SWEEP, ...options, '--csv']).stdout);
    expect(run(['merge', ...files, '--top', '1']).stdout).toBe(run([...SWEEP, ...options, '--top', '1']).stdout);
  });

  it('takes all the shards of one sweep, and nothing else', () => {
    const [one, two] = shards(2) as [string, string];
    const [foreign] = shards(2, '--no-full-region') as [string];
    expect(runRefused(['merge', one])).toBe('shard 2 of 2 is missing');
    expect(runRefused(['merge', one, two, one])).toBe('shard 1 of 2 is there twice');
    expect(runRefused(['merge', two, foreign])).toBe('shard 1 is of another sweep than shard 2');
    const cut = join(folder, 'cut.json');
    writeFileSync(cut, JSON.stringify({ ...JSON.parse(readFileSync(one, 'utf8')), interrupted: true }));
    expect(runRefused(['merge', cut, two])).toMatch(/cut\.json: the sweep was interrupted/);
    for (const text of ['{', '[]', '{"shard":{}}', '{"shard":{"index":1,"count":1,"sweep":"x"},"modules":1}']) {
      writeFileSync(cut, text);
      expect(runRefused(['merge', cut])).toMatch(/cut\.json: /);
    }
  });

  it.each(['0/2', '3/2', '1', 'x/y', '1/0', '-1/2'])('refuses --shard %s', (shard) => {
    expect(runRefused([...SWEEP, `--shard=${shard}`])).toMatch(/is not I\/N/);
  });
});

describe('bad input', () => {
  it('is named with its file, on threads too', () => {
    const bad = join(folder, 'bad');
    mkdirSync(bad);
    for (let i = 0; i < 60; i++) cpSync(samplePath('6.1/init_only.ko'), join(bad, `m${i}.ko`));
    writeFileSync(join(bad, 'z.ko'), readFileSync(samplePath('6.1/large.ko')).subarray(0, 4000));
    for (const threads of ['1', '2']) {
      const line = runRefused(['sweep', ...KERNEL, '--modules', bad, '--threads', threads]);
      expect(line.startsWith(`${join(bad, 'z.ko')}: `)).toBe(true);
    }
  });

  it('of another kernel is swept if asked to', () => {
    const other = ['sweep', ...KERNEL, '--modules', samplePath('6.12/init_only.ko')];
    expect(runRefused(other)).toMatch(/version magic .*--force sweeps it all the same/);
    expect(run([...other, '--force']).status).toBe(0);
  });

  it.each([
    [['--seeds', '0'], '--seeds is at least 1'],
    [['--threads', '0'], '--threads is at least 1'],
    [['--rng', 'x'], /seeds/],
    [['--exact', '--seeds', '1'], /exact.*seeds|seeds.*exact/],
    [['--text', '0xffffa00008000001'], /_text at 0xffffa00008000001 does not begin a page/],
  ] as const)('%j', (options, message) => {
    const line = runRefused([...SWEEP, ...options]);
    if (typeof message === 'string') expect(line).toBe(message);
    else expect(line).toMatch(message);
  });
});

describe('an interrupt', () => {
  it('ends with what is done so far, and 130', async () => {
    const child = spawn(process.execPath, [MAIN, ...SWEEP, '--seeds', '2000000', '--threads', '1', '--json']);
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    setTimeout(() => child.kill('SIGINT'), 8000);
    expect(await ended).toBe(130);
    const document = JSON.parse(Buffer.concat(output).toString()) as Sampled & { interrupted: boolean };
    expect(document.interrupted).toBe(true);
    expect(document.seeds.length).toBeLessThan(2_000_000);
    expect(Buffer.concat(errors).toString()).toBe(`kaslrkit: interrupted; done: ${document.seeds.length} boots\n`);
  });
});
