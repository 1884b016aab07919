/**
 * What the kernel says about its own placement at boot.
 * @see Linux 5.10 and 6.12 arch/arm64/kernel/kaslr.c; 6.12 arch/arm64/mm/init.c, module_init_limits()
 */
import type { Pattern } from './explanation.js';

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
