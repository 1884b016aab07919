import { describe, expect, it } from '@jest/globals';
import { explainLine, explainLog, PATTERNS } from '../../../lib/explain/explain.js';

/**
 * Lines of real logs (mailing lists and issue trackers), what must be made of them. Only the device tree one is from the source: nobody
 * seems to have met it.
 */
const LINES: readonly [id: string, line: string, expected: object][] = [
  // 4.4.274, 64K pages and 42 VA bits: modules lay right below fffffe0000000000.
  [
    'relocation-overflow',
    'module tun: overflow in relocation type 261 val fffffdfffc000654',
    {
      module: 'tun',
      type: 261,
      value: 0xfffffdfffc000654n,
      meaning: expect.stringMatching(/PREL32 .*S\+A-P.*2 GiB or more/),
    },
  ],
  [
    'relocation-overflow',
    'module algif_hash: overflow in relocation type 261 val ffff800010051c20',
    { module: 'algif_hash', remedy: expect.stringContaining('.exit.text without CONFIG_MODULE_UNLOAD') },
  ],
  [
    'relocation-overflow',
    'overflow in relocation type 275 val 0',
    { module: undefined, type: 275, value: 0n, meaning: expect.stringContaining('a weak symbol that nobody exports') },
  ],
  [
    'relocation-overflow',
    '[   13.076303] module: overflow in relocation type 10 val ffffffffa0060e58',
    { type: 10, meaning: expect.stringContaining('another architecture') },
  ],
  [
    'unsupported-relocation',
    'module trace_noschedule: unsupported RELA relocation: 275',
    { module: 'trace_noschedule', type: 275, meaning: expect.stringMatching(/ERRATUM_843419 and older than 4\.17/) },
  ],
  [
    'unsupported-relocation',
    'module libafs: unsupported RELA relocation: 311',
    { module: 'libafs', type: 311, remedy: expect.stringContaining('-fno-pic') },
  ],
  [
    'plt-exhausted',
    'WARNING: CPU: 2 PID: 181 at arch/arm64/kernel/module-plts.c:94 module_emit_plt_entry+0x178/0x1b0',
    { meaning: expect.stringContaining('one PLT entry more') },
  ],
  [
    'plt-exhausted',
    '[ 1] WARNING: CPU: 2 PID: 1998 at arch/arm64/kernel/module-plts.c:39',
    { remedy: expect.stringContaining('CONFIG_RANDOMIZE_BASE off') },
  ],
  ['plt-missing', 'macvlan: module PLT section(s) missing', { module: 'macvlan' }],
  [
    'vmap-allocation',
    '[   64.242492] vmap allocation for size 393216 failed: use vmalloc=<size> to increase size',
    { value: 393216, remedy: expect.stringContaining('does nothing on arm64') },
  ],
  [
    'address-range',
    '[   36.902716][   T60] vmalloc_node_range for size 8192 failed: Address range restricted to 0xffffc90000000000 - 0xffffe8ffffffffff',
    { value: 8192, meaning: expect.stringContaining('between 0xffffc90000000000 and 0xffffe8ffffffffff') },
  ],
  [
    'vmalloc-address-space',
    '[   64.242499] systemd-udevd: vmalloc error: size 327680, vm_struct allocation failed, mode:0xcc0(GFP_KERNEL), nodemask=(null)',
    { value: 327680 },
  ],
  [
    'vmalloc-memory',
    '[   14.006613] kmodloader: vmalloc: allocation failure: 425984 bytes, mode:0x14000c0(GFP_KERNEL), nodemask=(null)',
    { value: 425984 },
  ],
  ['execmem', '[11746.587149] execmem: unable to allocate memory', {}],
  [
    'kaslr-no-seed',
    '[    0.052888] KASLR disabled due to lack of seed',
    { remedy: expect.stringContaining('EFI_RNG_PROTOCOL') },
  ],
  [
    'kaslr-command-line',
    '> [    0.000000] KASLR disabled on command line',
    { meaning: expect.stringContaining('nokaslr') },
  ],
  ['kaslr-fdt', 'KASLR disabled due to FDT remapping failure', {}],
  ['kaslr-enabled', '[    0.000000] KASLR enabled', {}],
  [
    'efi-rng-unavailable',
    'EFI stub: EFI_RNG_PROTOCOL unavailable',
    { matched: 'EFI_RNG_PROTOCOL unavailable', remedy: expect.stringContaining('virtio-rng') },
  ],
  [
    'efi-rng-unavailable',
    'EFI stub: EFI_RNG_PROTOCOL unavailable, KASLR will be disabled',
    {
      matched: 'EFI_RNG_PROTOCOL unavailable, KASLR will be disabled',
      meaning: expect.stringContaining('no random physical address'),
    },
  ],
  [
    'efi-rng-unavailable',
    'EFI stub: EFI_RNG_PROTOCOL unavailable, no randomness supplied',
    { matched: 'EFI_RNG_PROTOCOL unavailable, no randomness supplied' },
  ],
  [
    'kpti-forced-by-kaslr',
    '[    0.000000] CPU features: kernel page table isolation forced ON by KASLR',
    { meaning: expect.stringContaining('E0PD') },
  ],
  ['kpti-detected', '[    0.000000] CPU features: detected: Kernel page table isolation (KPTI)', {}],
  ['kernel-offset-disabled', '[ 7934.146631][   T28] Kernel Offset: disabled', {}],
  [
    'kernel-offset',
    '> [   24.691749] Kernel Offset: 0x494ce9000000 from 0xffff800008000000',
    {
      value: 0x494ce9000000n,
      meaning: expect.stringMatching(/to 0xffffc94cf1000000 .* That is KASLR/),
      remedy: expect.stringContaining('kaslrkit locate --log'),
    },
  ],
  ['kernel-offset', 'Kernel Offset: 0x4d0742200000 from 0xffff800080000000', { value: 0x4d0742200000n }],
  ['module-region-forced', '[    0.065723] Modules: 2G module region forced by RANDOMIZE_MODULE_REGION_FULL', {}],
  ['pages-without-plt', '[    0.065751] Modules: 0 pages in range for non-PLT usage', { value: 0 }],
  // The same boot: the image takes 38.9 MiB of either window.
  [
    'pages-without-plt',
    '[    0.345959] 22816 pages in range for non-PLT usage',
    { value: 22816, meaning: expect.stringContaining('38.9 MiB with 4K pages') },
  ],
  [
    'pages-with-plt',
    '[    0.345990] 514336 pages in range for PLT usage',
    { value: 514336, meaning: expect.stringContaining('38.9 MiB with 4K pages') },
  ],
  [
    'pages-with-plt',
    '[    0.008272] 129452 pages in range for PLT usage',
    { meaning: expect.stringContaining('25.3 MiB with 16K pages') },
  ],
  [
    'unknown-symbol',
    '[   13.418798] a867: Unknown symbol dvb_usb_device_init (err -22)',
    { module: 'a867', meaning: expect.stringContaining('with another checksum') },
  ],
  [
    'unknown-symbol',
    'dm9000: Unknown symbol platform_driver_register',
    { meaning: expect.stringContaining('nobody exports it') },
  ],
  [
    'symbol-version',
    'slcan: disagrees about version of symbol module_layout',
    { module: 'slcan', meaning: expect.stringContaining('struct module') },
  ],
  [
    'symbol-version',
    'dm9000: disagrees about version of symbol platform_driver_register',
    { meaning: expect.stringContaining('MODVERSIONS') },
  ],
  ['no-symbol-version', 'vboxguest: no symbol version for module_layout', { module: 'vboxguest' }],
  [
    'version-magic',
    "hello: version magic '5.15.0-60-generic SMP mod_unload aarch64' should be '5.15.0-67-generic SMP mod_unload aarch64'",
    { module: 'hello', meaning: expect.stringContaining("this one is '5.15.0-67-generic") },
  ],
];

describe('explainLine', () => {
  it.each(LINES)('%s: %s', (id, line, expected) => {
    const explanation = explainLine(line, {});
    expect(explanation).toMatchObject({ pattern: id, ...expected });
    expect(line).toContain(explanation!.matched);
    expect(explanation!.meaning).toMatch(/\.$/);
    expect(explanation!.remedy).toMatch(/\.$/);
    expect(explanation!.candidates).toEqual([]);
  });

  it('has a real line for every pattern', () => {
    expect(new Set(LINES.map(([id]) => id))).toEqual(new Set(PATTERNS.map(({ id }) => id)));
    expect(new Set(PATTERNS.map(({ id }) => id)).size).toBe(PATTERNS.length);
  });

  it('knows every error that Unknown symbol comes with, and takes others for the commonest', () => {
    const meaningOf = (code: string) => explainLine(`xfs: Unknown symbol memcpy (err ${code})`, {})!.meaning;
    expect(new Set(['-2', '-22', '-16'].map(meaningOf)).size).toBe(3);
    expect([meaningOf('0'), meaningOf('-99')]).toEqual([meaningOf('-2'), meaningOf('-2')]);
  });

  it('names the rule of the kernel where it is about distances, and only there', () => {
    const ruleOf = (line: string, major: number, minor: number) =>
      explainLine(line, { version: { major, minor } })!.rule;
    const overflow = 'module tun: overflow in relocation type 261 val fffffdfffc000654';
    const rules = [
      [4, 4],
      [4, 6],
      [4, 16],
      [4, 17],
      [5, 2],
      [5, 3],
      [6, 4],
      [6, 5],
      [7, 3],
    ] as const;
    const starts = [
      'before 4.6',
      '4.6 to 4.16',
      '4.6 to 4.16',
      '4.17 to 5.2',
      '4.17 to 5.2',
      '5.3 to 6.4',
      '5.3 to 6.4',
      'from 6.5',
      'from 6.5',
    ];
    rules.forEach(([major, minor], i) => {
      expect(ruleOf(overflow, major, minor)).toMatch(new RegExp(`^${starts[i]}`));
    });
    expect(explainLine(overflow, {})!.rule).toBeUndefined();
    expect(ruleOf('xfs: Unknown symbol memcpy (err -2)', 6, 1)).toBeUndefined();
  });

  it('proposes a newer kernel for module memory only where that keeps more', () => {
    const remedyOf = (line: string, version?: { major: number; minor: number }) =>
      explainLine(line, { version })!.remedy;
    const lines = [
      'vmap allocation for size 393216 failed: use vmalloc=<size> to increase size',
      'vmalloc_node_range for size 8192 failed: Address range restricted to 0xffffc90000000000 - 0xffffe8ffffffffff',
      'vmalloc error: size 327680, vm_struct allocation failed, mode:0xcc0(GFP_KERNEL), nodemask=(null)',
    ];
    const newer = 'boot a kernel from 6.5 on';
    for (const line of lines) {
      expect(remedyOf(line)).toContain(newer);
      expect(remedyOf(line, { major: 6, minor: 4 })).toContain(newer);
      for (const version of [
        { major: 6, minor: 5 },
        { major: 6, minor: 12 },
        { major: 7, minor: 0 },
      ]) {
        expect(remedyOf(line, version)).not.toContain(newer);
        expect(remedyOf(line, version)).toContain('This kernel keeps 2 GiB for modules alone');
      }
    }
    // Kernels that say so are all newer.
    expect(remedyOf('execmem: unable to allocate memory')).not.toContain(newer);
    const log = `Linux version 6.12.35 (build@host)\n${lines[0]}`;
    expect(explainLog(log, {}).map(({ remedy }) => remedy)).toEqual([remedyOf(lines[0]!, { major: 6, minor: 12 })]);
  });

  it('trusts KPTI to mean KASLR only where the kernel looks for it', () => {
    const meaningOf = (version?: { major: number; minor: number }) =>
      explainLine('CPU features: kernel page table isolation forced ON by KASLR', { version })!.meaning;
    expect(meaningOf({ major: 6, minor: 12 })).toContain('KASLR is on.');
    for (const version of [{ major: 5, minor: 10 }, { major: 6, minor: 1 }, undefined]) {
      expect(meaningOf(version)).toContain('without KASLR too');
    }
  });

  it('takes an offset below 2 MiB for the load address, not for KASLR', () => {
    const meaningOf = (offset: string) => explainLine(`Kernel Offset: ${offset} from 0xffff800008000000`, {})!.meaning;
    expect(meaningOf('0x1f0000')).toContain('KASLR was off');
    expect(meaningOf('0x200000')).toContain('That is KASLR');
  });

  it('describes each kind of relocation as it is checked', () => {
    const meaningOf = (type: number, value: string) =>
      explainLine(`module xfs: overflow in relocation type ${type} val ${value}`, {})!;
    expect(meaningOf(283, 'ffff800008001000').meaning).toContain('128 MiB or more from the branch');
    expect(meaningOf(283, 'ffff800008001000').remedy).toContain('ARM64_MODULE_PLTS');
    expect(meaningOf(258, 'ffff800008001000').meaning).toContain('[0, 4294967295]');
    expect(meaningOf(258, 'ffff800008001000').meaning).not.toContain('or more below or above');
    expect(meaningOf(275, 'ffff800008001000').meaning).toContain('4 GiB or more below or above it');
    expect(meaningOf(279, 'ffff800008001000').meaning).toContain('32 KiB or more below or above it');
    expect(meaningOf(275, '12345').meaning).toContain('no kernel address');
    expect(meaningOf(257, 'ffff800008001000').meaning).toContain('no kernel known here checks');
  });

  it.each([
    '',
    'EXT4-fs (vda1): mounted filesystem',
    'overflow in relocation',
    'KASLR',
    'module_layout',
    // x86, its second half folded to another line.
    'Kernel Offset: 0x1c000000 from 0xffffffff81000000',
    'CPU features: kernel page table isolation forced OFF by kpti command line option',
    'x'.repeat(10_000),
  ])('knows nothing of %j', (line) => {
    expect(explainLine(line, {})).toBeUndefined();
  });

  it('reads lines made to be slow as fast as others', () => {
    const slow = [
      `${'a'.repeat(4096)} Unknown symbol`,
      `${': '.repeat(2000)}Unknown symbol `,
      `${'WARNING: '.repeat(450)}module_emit`,
      `vmalloc_node_range for size ${'1'.repeat(4000)}`,
    ];
    // Each would take minutes if an expression looked back at every place from every other.
    for (const line of slow) for (let i = 0; i < 50; i++) expect(explainLine(line, {})).toBeUndefined();
  });
});

describe('explainLog', () => {
  const LOG = `[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd034]
[    0.000000] Linux version 6.5.3 (builder@host) (aarch64-linux-gnu-gcc) #2 SMP
[    0.000000] KASLR enabled
[    0.065723] 2G module region forced by RANDOMIZE_MODULE_REGION_FULL
[    0.065751] 0 pages in range for non-PLT usage
[    9.000000] ------------[ cut here ]------------
[    9.000001] WARNING: CPU: 2 PID: 181 at arch/arm64/kernel/module-plts.c:94 module_emit_plt_entry+0x178/0x1b0
[    9.000002] Modules linked in: sunxi_rfkill
[    9.000003] pc : module_emit_plt_entry+0x178/0x1b0
[    9.000004]  module_emit_plt_entry+0x178/0x1b0
[    9.000005]  apply_relocate_add+0x2bc/0x8e4
[   10.000000] sprdwl_ng: Unknown symbol a (err -2)\r
[   11.000000] sprdwl_ng: Unknown symbol b (err -2)
[   12.000000] sprdwl_ng: Unknown symbol a (err -2)
`;

  it('picks out what it knows, each once and in order', () => {
    expect(explainLog(LOG, {}).map(({ pattern, matched }) => `${pattern}: ${matched}`)).toEqual([
      'kaslr-enabled: KASLR enabled',
      'module-region-forced: 2G module region forced by RANDOMIZE_MODULE_REGION_FULL',
      'pages-without-plt: 0 pages in range for non-PLT usage',
      'plt-exhausted: WARNING: CPU: 2 PID: 181 at arch/arm64/kernel/module-plts.c:94 module_emit_plt_entry+0x178/0x1b0',
      'unknown-symbol: sprdwl_ng: Unknown symbol a (err -2)',
      'unknown-symbol: sprdwl_ng: Unknown symbol b (err -2)',
    ]);
  });

  it("takes the kernel's version from the log, unless it is told another", () => {
    expect(explainLog(LOG, {})[0]!.rule).toMatch(/^from 6\.5/);
    expect(explainLog(LOG, { version: { major: 4, minor: 9 } })[0]!.rule).toMatch(/^4\.6 to/);
    expect(explainLog('KASLR enabled', {})[0]!.rule).toBeUndefined();
  });

  it('finds nothing in nothing', () => {
    expect(explainLog('', {})).toEqual([]);
  });
});
