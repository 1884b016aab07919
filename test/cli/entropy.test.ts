import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { SAMPLE_KERNELS, samplePath } from '../support/sample.js';

interface Left {
  slots: number;
  bits: number;
}

interface Counted {
  era: string;
  vaBits: number;
  cpuVaBits: number;
  pageSize: number;
  imageSize: number;
  slots: number;
  bits: number;
  regions: { kernel: Left; modules: Left; linearMap?: Left };
  leak: {
    kernelPointer: { bitsLeft: number; modules: Left; linearMap?: Left };
    modulePointer: { bitsLeft: number; kernel: Left; linearMap?: Left };
    linearMapPointer?: { bitsLeft: number; kernel: Left; modules: Left };
  };
}

const folder = temporaryFolder();
const numbers = (era: string, vaBits = '48', ...more: string[]): string[] => [
  ...['entropy', '--era', era, '--va-bits', vaBits, '--image-size', '38731776'],
  ...more,
];

describe('entropy', () => {
  it.each([
    ['5.4', '48', 2 ** 25, 25],
    ['6.0', '39', 2 ** 16, 16],
    ['6.9', '48', 33029374, 24.98],
    ['6.9', '52', 17300734, 24.04],
    ['6.16', '39', 63742, 15.96],
  ])('counts for era %s with %s VA bits %d slots, %d bits', (era, vaBits, slots, bits) => {
    const counted = runJson<Counted>(...numbers(era, vaBits));
    expect(counted).toMatchObject({ era, vaBits: Number(vaBits), pageSize: 4096, imageSize: 38731776, slots });
    expect(counted.bits).toBeCloseTo(bits, 2);
    expect(counted.regions.kernel).toMatchObject({ slots, bits: counted.bits });
  });

  it('gives the bits that a pointer leaves of what it is not into', () => {
    const { leak } = runJson<Counted>(...numbers('6.0'));
    expect(leak.kernelPointer.bitsLeft).toBe(leak.kernelPointer.modules.bits);
    expect(leak.modulePointer.bitsLeft).toBe(leak.modulePointer.kernel.bits);
    expect(leak.linearMapPointer!.bitsLeft).toBe(leak.linearMapPointer!.kernel.bits);
    expect(leak.modulePointer.bitsLeft).toBeCloseTo(9.97, 2);
    expect(runJson<Counted>(...numbers('6.16')).leak.linearMapPointer).toBeUndefined();
  });

  it.each(SAMPLE_KERNELS)('takes era and sizes from the kernel of style $style', ({ image, vmlinux }) => {
    const counted = runJson<Counted>('entropy', samplePath(vmlinux));
    expect(runJson('entropy', samplePath(image))).toEqual(counted);
    const { era, vaBits, pageSize, imageSize } = runJson<Counted[]>('inspect', samplePath(image))[0]!;
    expect(counted).toMatchObject({ era, vaBits, pageSize, imageSize });
    const { kernel } = counted.regions;
    expect(kernel.bits).toBeLessThanOrEqual(Math.log2(kernel.slots) + 1e-9);
  });

  it('asks the configuration whether modules stay within 128 MiB', () => {
    const config = join(folder, 'config');
    writeFileSync(config, 'CONFIG_ARM64_VA_BITS=48\n# CONFIG_RANDOMIZE_MODULE_REGION_FULL is not set\n');
    const near = runJson<Counted>(...numbers('6.9', '48', '--config', config)).leak.kernelPointer.modules.slots;
    const far = runJson<Counted>(...numbers('6.9')).leak.kernelPointer.modules.slots;
    expect(near).toBe((2 ** 27 - 38731776) / 4096 + 1);
    expect(far).toBe((2 ** 31 - 38731776) / 4096 + 1);
    // From where the text ends, which only a kernel file tells, up to 6.4.
    expect(runRefused(numbers('6.0', '48', '--config', config))).toContain('_etext');
  });

  it('follows the CPU, and the memory that the linear map must hold', () => {
    const { cpuVaBits, slots } = runJson<Counted>('entropy', samplePath('6.12/vmlinux'), '--va-bits', '52');
    expect([cpuVaBits, slots]).toEqual([52, 17300734]);
    const span = runJson<Counted>(...numbers('6.0', '39', '--memory-span', `${8 * 2 ** 30}`));
    expect(span.regions.linearMap!.slots).toBe(248);
  });

  it('prints a row for each thing known and unknown, with the reason', () => {
    const { status, stdout } = run(numbers('6.9'));
    expect(status).toBe(0);
    const rows = stdout.split('\n').filter((line) => /^(nothing|kernel|modules|linear map) +\S/.test(line));
    expect(rows).toHaveLength(9);
    for (const row of rows) expect(row).toMatch(/ +[\d,]+ +\d+\.\d\d {2}\S.*\S$/);
    expect(rows[0]).toMatch(/^nothing +kernel +33,029,374 +24\.98 {2}/);
    expect(run(numbers('6.16')).stdout).not.toContain('linear map');
  });

  it.each([
    [['entropy'], '--era, --va-bits and --image-size are needed'],
    [numbers('3.10'), "unknown era '3.10'"],
    [numbers('6.0', '40'), 'VA bits'],
    [numbers('6.0', '48', '--page-size', '8192'), 'page size 8192'],
    [numbers('6.0', '48', '--memory-span', 'all'), "'all' is not a decimal or 0x hexadecimal number"],
    [['entropy', '--era', '6.9', '--va-bits', '48', '--image-size', '0x90000000'], 'no room for modules'],
    [['entropy', samplePath('6.1/Image'), '--image-size', '1'], '--image-size says what the kernel file says'],
    [['entropy', '/nonexistent'], '/nonexistent: no such file'],
    [numbers('6.0', '48', '--seed', '1'), 'seed'],
  ])('refuses %j', (args, reason) => {
    expect(runRefused(args)).toContain(reason);
  });
});
