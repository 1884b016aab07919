/**
 * What the kernel says about its own placement at boot.
 * @see Linux 5.10 and 6.12 arch/arm64/kernel/kaslr.c, cpufeature.c unmap_kernel_at_el0(); 6.12 arch/arm64/mm/init.c, module_init_limits()
 */
import { formatU64 } from '../address.js';
import type { KernelVersion } from '../kaslr/era.js';
import type { Pattern, Reading } from './explanation.js';
import { isFrom } from './module-rule.js';

const AT_HOME =
  'the kernel runs at its link address (off it by its load address modulo 2 MiB), modules next to it, and calls need no PLT';

const MIB = 2 ** 20;
const PAGE_SIZES = [4096, 16384, 65536];

/** What N pages left of a window say of the image, for each page size that makes it one. */
function imageSizes(pages: number, window: number): string {
  const sizes = PAGE_SIZES.map((page) => ({ page, left: window - pages * page })).filter(
    ({ left }) => left > 0 && left < 128 * MIB,
  );
  return sizes.map(({ page, left }) => `${(left / MIB).toFixed(1)} MiB with ${page / 1024}K pages`).join(', ');
}

/** 5.10 and 6.1 look whether there is an offset, and a load address that is no multiple of 2 MiB makes one; 6.12 looks for KASLR. */
function forcedBy(version: KernelVersion | undefined): string {
  if (version && isFrom(version, { major: 6, minor: 12 })) return 'KASLR is on.';
  return 'Older kernels (5.10, 6.1; no longer 6.12) say so without KASLR too, if loaded off a multiple of 2 MiB: KASLR disabled due to lack of seed follows then.';
}

/** @see Linux 6.12 arch/arm64/kernel/setup.c, dump_kernel_offset(); asm/memory.h, kaslr_offset() */
function readOffset(offset: bigint, base: bigint): Reading {
  const moved = formatU64(BigInt.asUintN(64, base + offset));
  const meaning = `A panic: the kernel was moved by 0x${offset.toString(16)} from KIMAGE_VADDR, ${formatU64(base)}, to ${moved} (there is _text; before 5.8, TEXT_OFFSET above). ${
    offset < BigInt(2 * MIB)
      ? 'That is less than 2 MiB: KASLR was off, and this is the load address modulo 2 MiB.'
      : 'That is KASLR. Addresses in the log are higher by it than in System.map and vmlinux.'
  }`;
  return {
    meaning,
    remedy:
      'kaslrkit locate --log LOG makes a placement of it and the lines around it; subtract it from addresses of the kernel before you look them up.',
    value: offset,
  };
}

export const KASLR_PATTERNS: readonly Pattern[] = [
  {
    id: 'kaslr-no-seed',
    keyword: 'lack of seed',
    expression: /KASLR disabled due to lack of seed/,
    read: () => ({
      meaning: `Nobody gave the kernel a random number (/chosen/kaslr-seed in the device tree was absent or 0), so that ${AT_HOME}. Kernels from 6.0 on take the CPU's own, RNDR, if it has one.`,
      remedy:
        "Let the firmware supply it: EFI_RNG_PROTOCOL under UEFI (the stub writes the seed), the kaslrseed command of U-Boot (CONFIG_CMD_KASLRSEED, CONFIG_DM_RNG), dtb-randomness=on for QEMU's virt. A seed is used once; kexec needs one of its own.",
    }),
  },
  {
    id: 'kaslr-command-line',
    keyword: 'KASLR disabled',
    expression: /KASLR disabled on (?:kernel )?command line/,
    read: () => ({
      meaning: `nokaslr (or arm64.nokaslr) is on the command line, so that ${AT_HOME}. A seed in the device tree is ignored.`,
      remedy: 'Take nokaslr off the command line, the one built into the kernel (CONFIG_CMDLINE) included.',
    }),
  },
  {
    id: 'kaslr-fdt',
    keyword: 'KASLR disabled',
    expression: /KASLR disabled due to FDT remapping failure/,
    read: () => ({
      meaning: `The kernel could not map its device tree early on, and so saw no seed: ${AT_HOME}. Kernels from 6.0 on no longer say so.`,
      remedy: 'The device tree must lie on 8 bytes and hold at most 2 MiB; see that the boot loader keeps to that.',
    }),
  },
  {
    id: 'efi-rng-unavailable',
    keyword: 'EFI_RNG_PROTOCOL',
    expression: /EFI_RNG_PROTOCOL unavailable(?:, (?:KASLR will be disabled|no randomness supplied))?/,
    read: () => ({
      meaning:
        'The firmware offers no EFI_RNG_PROTOCOL: the EFI stub puts the image at no random physical address and writes no /chosen/kaslr-seed. Whether the kernel moves in virtual memory it cannot know: a seed that the device tree holds already counts all the same, and from 6.0 on so does RNDR. A later line says (KASLR enabled, or disabled due to lack of seed).',
      remedy:
        "Give the firmware a source of randomness: -device virtio-rng-pci for QEMU's virt with EDK II, CONFIG_EFI_RNG_PROTOCOL (with CONFIG_DM_RNG and a driver) in U-Boot, an RNG driver or newer firmware elsewhere.",
    }),
  },
  {
    id: 'kpti-forced-by-kaslr',
    keyword: 'page table isolation',
    expression: /kernel page table isolation forced ON by KASLR/,
    read: (_, { version }) => ({
      meaning: `User space runs without the kernel's page tables, so that timing of faults or prefetches does not tell where the kernel is: KASLR would be worth little on a CPU without E0PD. ${forcedBy(version)}`,
      remedy:
        'Nothing is wrong. kpti=off on the command line takes it back and saves time on each system call; nokaslr does too where the CPU is not prone to Meltdown. CPUs with E0PD (Armv8.5) do without.',
    }),
  },
  {
    id: 'kpti-detected',
    keyword: 'page table isolation',
    expression: /detected: Kernel page table isolation \(KPTI\)/,
    read: () => ({
      meaning:
        'Kernel page table isolation is in use: for KASLR, if a line before says forced ON by KASLR, by kpti=on, if it names that option, else as a CPU may be prone to Meltdown. Modules and the image lie where they would without it; only the entry trampoline stays mapped in user space.',
      remedy: 'Nothing is wrong.',
    }),
  },
  {
    id: 'kernel-offset-disabled',
    keyword: 'Kernel Offset',
    expression: /Kernel Offset: disabled/,
    read: () => ({
      meaning:
        'A panic: the kernel ran at its link address exactly, KASLR being off (no seed, nokaslr, or CONFIG_RANDOMIZE_BASE=n). Addresses in the log are those of System.map and vmlinux.',
      remedy: 'Look addresses up as they are; a line early in the log says why KASLR was off.',
    }),
  },
  {
    id: 'kernel-offset',
    keyword: 'Kernel Offset',
    // That of x86 goes on with (relocation range: ...), perhaps folded to another line: its base tells.
    expression: /Kernel Offset: (0x[0-9a-f]{1,16}) from (0x(?!ffffffff)[0-9a-f]{16})\b/,
    read: ([, offset, base]) => readOffset(BigInt(offset!), BigInt(base!)),
  },
  {
    id: 'kaslr-enabled',
    keyword: 'KASLR enabled',
    expression: /\bKASLR enabled\b/,
    read: () => ({
      meaning: 'The kernel has moved by a random offset. Where to, a panic tells (Kernel Offset: ...), or the seed.',
      remedy: 'Nothing is wrong. place finds the address of a seed, locate the offset in a log or a memory dump.',
      isAboutDistance: true,
    }),
  },
  {
    id: 'module-region-forced',
    keyword: '2G module region',
    expression: /2G module region forced by RANDOMIZE_MODULE_REGION_FULL/,
    read: () => ({
      meaning:
        'Modules are kept out of the 128 MiB that branches reach and go anywhere in 2 GiB around the kernel, so that every call from a module to the kernel takes a PLT entry (12 bytes, three instructions more).',
      remedy:
        'Nothing is wrong: this is what distributions choose. CONFIG_RANDOMIZE_MODULE_REGION_FULL=n trades that randomness for direct calls.',
      isAboutDistance: true,
    }),
  },
  {
    id: 'pages-without-plt',
    keyword: 'pages in range',
    expression: /\b(\d{1,9}) pages in range for non-PLT usage/,
    read: ([, count]) => {
      const pages = Number(count);
      return {
        meaning:
          pages === 0
            ? 'No module can call the kernel directly: RANDOMIZE_MODULE_REGION_FULL is on (a line before says so), or the image is 128 MiB or larger. Every call takes a PLT entry.'
            : `${count} pages are left for modules in the 128 MiB that branches reach, the image having taken the rest: ${imageSizes(pages, 128 * MIB)}. Modules beyond them call through PLTs.`,
        remedy: 'Nothing is wrong; sweep counts the PLT entries that either range costs.',
        value: pages,
        isAboutDistance: true,
      };
    },
  },
  {
    id: 'pages-with-plt',
    keyword: 'pages in range',
    expression: /\b(\d{1,9}) pages in range for PLT usage/,
    read: ([, count]) => {
      const pages = Number(count);
      return {
        meaning:
          pages === 0
            ? 'The image is 2 GiB or larger, so that no module can be placed at all.'
            : `${count} pages are left for modules in the 2 GiB that ADRP, PREL32 and so PLT entries are to reach, the image having taken the rest: ${imageSizes(pages, 2048 * MIB)}.`,
        remedy: 'Nothing is wrong.',
        value: pages,
        isAboutDistance: true,
      };
    },
  },
];
