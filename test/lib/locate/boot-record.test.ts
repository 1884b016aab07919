import { describe, expect, it } from '@jest/globals';
import { formatVa } from '../../../lib/address.js';
import { readBootRecord } from '../../../lib/locate/boot-record.js';
import { codeOf } from '../../support/thrown.js';

const PANIC = `
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010
Internal error: Oops: 0000000096000004 [#1] SMP
Modules linked in: xfs(E) libcrc32c sunrpc(OE+) [last unloaded: demo]
CPU: 3 PID: 812 Comm: modprobe Tainted: G           OE      6.1.0-56-arm64 #1  Debian 6.1.192-1
Hardware name: linux,dummy-virt (DT)
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : demo_init+0x14/0x1000 [demo]
Kernel panic - not syncing: Oops: Fatal exception
SMP: stopping secondary CPUs
Kernel Offset: 0x495d77c00000 from 0xffff800008000000
PHYS_OFFSET: 0xfffff0d1c0000000
CPU features: 0x00000,00800180,4200421b
Memory Limit: none
---[ end Kernel panic - not syncing: Oops: Fatal exception ]---
`;

const VMCOREINFO = `OSRELEASE=6.12.107+deb13-arm64
BUILD-ID=0f1c3f0d0f1c3f0d0f1c3f0d0f1c3f0d0f1c3f0d
PAGESIZE=4096
SYMBOL(init_uts_ns)=ffffde38442ad5e0
SYMBOL(_stext)=ffffde3841e10000
NUMBER(VA_BITS)=52
NUMBER(MODULES_VADDR)=0xffff800000000000
NUMBER(MODULES_END)=0xffff800080000000
NUMBER(kimage_voffset)=0xffffde3801c00000
NUMBER(PHYS_OFFSET)=0x40000000
NUMBER(TCR_EL1_T1SZ)=0x10
KERNELOFFSET=5e37c1e00000
NUMBER(KERNELPACMASK)=0x0
`;

const read = (text: string) => readBootRecord(text.split('\n'));

describe('readBootRecord', () => {
  it('reads a panic', () => {
    const { kimageVaddr, ...record } = read(PANIC);
    expect(formatVa(kimageVaddr!)).toBe('0xffff800008000000');
    expect(record).toEqual({
      release: '6.1.0-56-arm64',
      version: { major: 6, minor: 1 },
      offset: 0x495d77c00000n,
      physOffset: 0xfffff0d1c0000000n,
      modules: ['xfs', 'libcrc32c', 'sunrpc'],
      offsets: 1,
    });
  });

  it.each([
    ['dmesg', (line: string) => `[   12.345678] ${line}`],
    ['dmesg with CPU numbers', (line: string) => `[   12.345678][    T1] ${line}`],
    ['dmesg -r', (line: string) => `<0>[   12.345678] ${line}`],
    ['a journal', (line: string) => `Nov 23 00:41:12 buildd kernel: ${line}`],
    ['a journal with monotonic time', (line: string) => `Nov 23 00:41:12 buildd kernel: [   12.345678] ${line}`],
    ['a serial console', (line: string) => `2024-11-23T00:41:12Z ttyAMA0> ${line}`],
  ])('reads it behind the prefixes of %s', (_, prefix) => {
    expect(read(PANIC.split('\n').map(prefix).join('\n'))).toEqual(read(PANIC));
  });

  it.each([
    ['CPU: 0 PID: 1 Comm: swapper/0 Not tainted 5.10.0-32-arm64 #1 Debian 5.10.223-1', '5.10.0-32-arm64', 5, 10],
    [
      'CPU: 1 UID: 0 PID: 77 Comm: sh Tainted: G        W          6.12.107+deb13-arm64 #1 Debian',
      '6.12.107+deb13-arm64',
      6,
      12,
    ],
    [
      'CPU: 1 UID: 0 PID: 7 Comm: kworker/1:0 3.4 Not tainted 6.17.13+deb13-arm64 #1 PREEMPT',
      '6.17.13+deb13-arm64',
      6,
      17,
    ],
    ['Linux version 4.19.0-27-arm64 (debian-kernel@lists.debian.org)', '4.19.0-27-arm64', 4, 19],
  ])('takes the version from: %s', (line, release, major, minor) => {
    expect(read(`${line}\n${'Kernel Offset: 0x2abd800000 from 0xffffffc010000000'}`)).toMatchObject({
      release,
      version: { major, minor },
    });
  });

  it('reads vmcoreinfo', () => {
    const { kimageVaddr, symbols, ...record } = read(VMCOREINFO);
    expect(formatVa(kimageVaddr!)).toBe('0xffff800080000000');
    expect([...symbols!]).toEqual([
      ['init_uts_ns', 0xffffde38442ad5e0n],
      ['_stext', 0xffffde3841e10000n],
    ]);
    expect(record).toEqual({
      release: '6.12.107+deb13-arm64',
      version: { major: 6, minor: 12 },
      offset: 0x5e37c1e00000n,
      physOffset: 0x40000000n,
      kimageVoffset: 0xffffde3801c00000n,
      vaBits: 52,
      vaBitsActual: 48,
      pageSize: 4096,
      buildId: '0f1c3f0d'.repeat(5),
      offsets: 1,
    });
  });

  it('takes a build ID of zeros for none', () => {
    expect(read(`KERNELOFFSET=0\nBUILD-ID=${'0'.repeat(40)}`).buildId).toBeUndefined();
    expect(read(`KERNELOFFSET=0\nBUILD-ID=${'0'.repeat(39)}1`).buildId).toBe(`${'0'.repeat(39)}1`);
  });

  it('keeps as many symbols as vmcoreinfo has room for, and the last address of each', () => {
    const lines = (count: number) =>
      Array.from({ length: count }, (_, i) => `SYMBOL(s${i})=${i.toString(16)}\n`).join('');
    expect(read(`${lines(256)}KERNELOFFSET=0`).symbols!.size).toBe(256);
    expect(read(`${lines(300)}KERNELOFFSET=0`).symbols!.size).toBe(256);
    expect(read('SYMBOL(a)=1\nSYMBOL(a)=2\nKERNELOFFSET=0').symbols).toEqual(new Map([['a', 2n]]));
  });

  it('takes a disabled offset for 0, and no modules for an empty list', () => {
    expect(read('Linux version 6.1.0 (x)\nModules linked in:\nKernel Offset: disabled')).toEqual({
      release: '6.1.0',
      version: { major: 6, minor: 1 },
      modules: [],
      offset: 0n,
      offsets: 1,
    });
  });

  const boot = (version: string, offset?: string) =>
    `Linux version ${version} (x)\n${offset ? `Kernel Offset: ${offset} from 0xffff800008000000\nPHYS_OFFSET: 0x80000000\n` : ''}`;

  it('tells of the last of several boots, with what that boot said', () => {
    const record = read(boot('6.1.1', '0x495d77c00000') + boot('6.1.2', '0x586f04e00000'));
    expect(record).toMatchObject({ release: '6.1.2', offset: 0x586f04e00000n, offsets: 2 });
  });

  it('keeps to the boot that ended in a panic when a later one says nothing of its place', () => {
    const record = read(boot('6.1.1', '0x495d77c00000') + boot('6.1.2'));
    expect(record).toMatchObject({ release: '6.1.1', offset: 0x495d77c00000n, physOffset: 0x80000000n, offsets: 1 });
  });

  it('counts an offset once that a boot prints twice', () => {
    const twice = 'Kernel Offset: 0x495d77c00000 from 0xffff800008000000\n'.repeat(2);
    expect(read(`Linux version 6.1.1 (x)\n${twice}`).offsets).toBe(1);
  });

  it('does not take a kernel version without a dot or an address of more than 16 digits', () => {
    expect(codeOf(() => read('Kernel Offset: 0x11112222333344445 from 0xffff800008000000'))).toBe('NO_OFFSET');
    expect(read('Linux version six (x)\nKERNELOFFSET=0').release).toBeUndefined();
  });

  it('passes over lines longer than any of the kernel', () => {
    const line = 'Kernel Offset: 0x495d77c00000 from 0xffff800008000000';
    expect(read(line.padStart(4096)).offset).toBe(0x495d77c00000n);
    expect(codeOf(() => read(line.padStart(4097)))).toBe('NO_OFFSET');
  });

  it('refuses what states no offset, or counts it from no address', () => {
    expect(codeOf(() => read(''))).toBe('NO_OFFSET');
    expect(codeOf(() => read('Linux version 6.1.0 (x)\nPHYS_OFFSET: 0x40000000'))).toBe('NO_OFFSET');
    expect(codeOf(() => read('Kernel Offset: 0x0 from 0x8000000000000000'))).toBe('ADDRESS_RANGE');
  });
});
