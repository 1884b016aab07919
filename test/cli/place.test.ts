import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { readSample, SAMPLE_KERNELS, samplePath } from '../support/sample.js';

interface Placed {
  era: string;
  seed: string | null;
  offset: string;
  text: string;
  end: string;
  crossesBoundary: boolean;
  modules:
    | { base: string; end: string }
    | { windows: { kind: string; size: number; lowest: string; highest: string }[] };
}

const SEED = '0xfedcba9876543210';
const numbers = (era: string, imageSize: number, ...more: string[]): string[] => [
  ...['place', '--era', era, '--va-bits', '48', '--image-size', `${imageSize}`],
  ...more,
];
const folder = temporaryFolder();

describe('place without a kernel file', () => {
  // What the kernels printed when they were booted with this seed.
  it.each([
    ['5.4', 28114944, '0xffffda9886400000', false],
    ['6.0', 33619968, '0xffffda987e400000', true],
    ['6.9', 38731776, '0xffffde3841e00000', false],
  ])('says where the measured kernel of era %s was', (era, imageSize, text, crossesBoundary) => {
    const placed = runJson<Placed>(...numbers(era, imageSize, '--seed', SEED));
    expect(placed).toMatchObject({ era, seed: SEED, text, crossesBoundary });
    expect(BigInt(placed.end) - BigInt(placed.text)).toBe(BigInt(imageSize));
  });

  it('prints exactly the fields of its contract', () => {
    expect(runJson(...numbers('6.9', 38731776, '--seed', SEED))).toEqual({
      era: '6.9',
      seed: SEED,
      offset: '0x00005e37c1e00000',
      text: '0xffffde3841e00000',
      end: '0xffffde38442f0000',
      crossesBoundary: false,
      modules: {
        windows: [{ kind: 'plt', size: 2 ** 31, lowest: '0xffffde37c42f0000', highest: '0xffffde3841e00000' }],
      },
    });
    const { modules } = runJson<Placed>(...numbers('5.4', 28114944, '--seed', SEED));
    expect(Object.keys(modules)).toEqual(['base', 'end']);
  });

  it('places a 52-bit kernel by what the CPU has', () => {
    const args = ['place', '--era', '6.9', '--va-bits', '52', '--image-size', '38731776', '--seed', SEED];
    expect(runJson<Placed>(...args).text).toBe('0xffffb15a64000000');
  });

  it('reads seeds in decimal, in hexadecimal and to the last bit', () => {
    const text = (seed: string) => runJson<Placed>(...numbers('6.0', 33619968, '--seed', seed));
    expect(text('18364758544493064720')).toEqual(text(SEED));
    expect(text('0xFEDCBA9876543210').seed).toBe(SEED);
    expect(text('0xffffffffffffffff')).toMatchObject({ seed: '0xffffffffffffffff', text: '0xffffe00007e00000' });
  });

  it('leaves the image at its link address with seed 0, in every era', () => {
    for (const era of ['4.6', '5.4', '6.0', '6.5', '6.16']) {
      const { offset, modules } = runJson<Placed>(...numbers(era, 2 ** 25, '--seed', '0'));
      expect([era, offset, Object.keys(modules)]).toEqual([era, '0x0000000000000000', ['windows']]);
    }
  });

  it('takes the run address of _text in place of a seed, and the load address', () => {
    const byText = runJson<Placed>(...numbers('6.9', 38731776, '--text', '0xffffde3841e00000'));
    expect(byText).toMatchObject({ seed: null, offset: '0x00005e37c1e00000', text: '0xffffde3841e00000' });
    const moved = runJson<Placed>(...numbers('6.9', 38731776, '--seed', SEED, '--phys', '0x40210000'));
    expect(moved.text).toBe('0xffffde3841e10000');
  });

  it('prints the same for a person', () => {
    const { status, stdout, stderr } = run(numbers('6.9', 38731776, '--seed', SEED));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^_text +0xffffde3841e00000$/m);
    expect(stdout).toMatch(/^modules \(plt\) +2 GiB from between 0xffffde37c42f0000 and 0xffffde3841e00000$/m);
  });

  it.each([
    ['a seed of 65 bits', ['--seed', '0x1ffffffffffffffff'], 'seed 0x1ffffffffffffffff does not fit in 64 bits'],
    ['a seed that is none', ['--seed', 'abc'], "seed 'abc'"],
    ['a negative seed', ['--seed=-1'], "seed '-1'"],
    ['an empty seed', ['--seed='], 'seed'],
    ['neither seed nor address', [], 'one of --seed and --text is needed'],
    ['both', ['--seed', '1', '--text', '0xffff800008000000'], 'seed'],
    ['an address that is none', ['--text', '0x0010000000000000'], '--text'],
    ['a load address that is none', ['--seed', '1', '--phys', '1G'], '--phys'],
    ['a CPU with too few bits', ['--seed', '1', '--va-bits', '47'], 'VA bits'],
    ['an era that is none', ['--seed', '1', '--era', '6.2'], "unknown era '6.2'"],
    ['a page size that is none', ['--seed', '1', '--page-size', '8192'], 'page size 8192'],
    ['an image that fills the address space', ['--seed', '1', '--image-size', '0x7fffffffffffffff'], '--image-size'],
  ])('refuses %s', (_, args, named) => {
    const given = new Set(args.map((arg) => arg.split('=')[0]));
    const rest = ['--era 6.9', '--va-bits 48', '--image-size 38731776'].filter(
      (pair) => !given.has(pair.split(' ')[0]!),
    );
    expect(runRefused(['place', ...rest.flatMap((pair) => pair.split(' ')), ...args])).toContain(named);
  });

  it('says what it needs', () => {
    expect(runRefused(['place', '--era', '6.9', '--seed', '1'])).toContain('--image-size');
  });
});

describe('place with a kernel file', () => {
  it.each(SAMPLE_KERNELS)('says the same for the $style sample as vmlinux and as Image', ({ vmlinux, image }) => {
    const [a, b] = [vmlinux, image].map((name) => runJson<Placed>('place', samplePath(name), '--seed', SEED));
    expect(a).toEqual(b);
  });

  it('takes a config-X beside a vmlinuz-X, unless another is named', () => {
    copyFileSync(samplePath('6.1/Image'), join(folder, 'vmlinuz-6.1.0-test'));
    writeFileSync(
      join(folder, 'config-6.1.0-test'),
      'CONFIG_ARM64_VA_BITS=48\n# CONFIG_RANDOMIZE_MODULE_REGION_FULL is not set\n',
    );
    writeFileSync(join(folder, 'full'), 'CONFIG_RANDOMIZE_MODULE_REGION_FULL=y\n');
    const kind = (...args: string[]) => {
      const { modules } = runJson<Placed>('place', join(folder, 'vmlinuz-6.1.0-test'), '--seed', SEED, ...args);
      return 'windows' in modules && modules.windows[0]!.kind;
    };
    expect(kind()).toBe('direct');
    expect(kind('--config', join(folder, 'full'))).toBe('plt');
  });

  it('reads a kernel from standard input', () => {
    const { status, stdout } = run(['place', '-', '--seed', SEED, '--json'], { input: readSample('6.1/Image') });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(runJson('place', samplePath('6.1/Image'), '--seed', SEED));
  });

  it.each([
    ['a page size beside a file that has one', ['--page-size', '4096'], '--page-size'],
    ['a configuration that is none', ['--config', samplePath('6.1/Image')], 'is this a kernel .config?'],
    ['a configuration that is not there', ['--config', '/no/such/config'], '/no/such/config: no such file'],
    ['an era the kernel cannot be of', ['--era', '4.6'], 'wrong config or era?'],
  ])('refuses %s', (_, args, named) => {
    expect(runRefused(['place', samplePath('6.1/Image'), '--seed', '1', ...args])).toContain(named);
  });

  it('writes no files', () => {
    const before = readdirSync(folder);
    runJson('place', samplePath('6.1/Image'), '--seed', SEED);
    expect(readdirSync(folder)).toEqual(before);
  });
});
