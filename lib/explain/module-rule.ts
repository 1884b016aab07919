/** Where modules may lie, in words, kernel by kernel: what most of the kernel's complaints about distances come down to. */
import type { KernelVersion } from '../kaslr/era.js';

interface ModuleRule {
  readonly since: KernelVersion;
  readonly text: string;
}

/** @see Linux arch/arm64/kernel/kaslr.c (from 6.5 mm/init.c), kernel/module.c module_alloc() */
const MODULE_RULES: readonly ModuleRule[] = [
  {
    since: { major: 0, minor: 0 },
    text: 'before 4.6 there is no KASLR on arm64: modules go to 64 MiB right below the kernel, and there are no PLTs',
  },
  {
    since: { major: 4, minor: 6 },
    text: '4.6 to 4.16: with RANDOMIZE_MODULE_REGION_FULL modules go to 128 MiB anywhere in vmalloc space, so that only absolute references and calls through PLTs reach the kernel; without, to 128 MiB around its text',
  },
  {
    since: { major: 4, minor: 17 },
    text: '4.17 to 5.2: with RANDOMIZE_MODULE_REGION_FULL modules go to 128 MiB within 4 GiB around the image (ADRP reaches, 32-bit distances may not); without, to 128 MiB around its text',
  },
  {
    since: { major: 5, minor: 3 },
    text: '5.3 to 6.4: with RANDOMIZE_MODULE_REGION_FULL modules go to 128 MiB within 2 GiB around the image, without to 128 MiB around its text; when those are full, to the 2 GiB from the same base',
  },
  {
    since: { major: 6, minor: 5 },
    text: 'from 6.5: modules go to 128 MiB around the image, or with RANDOMIZE_MODULE_REGION_FULL (or when those are full, or the image is as large) to 2 GiB around it, calls going through PLTs',
  },
];

/** Whether a kernel is that version or a later one. */
export function isFrom({ major, minor }: KernelVersion, since: KernelVersion): boolean {
  return since.major < major || (since.major === major && since.minor <= minor);
}

/** The rule that a kernel follows. */
export function moduleRuleOf(version: KernelVersion): string {
  return MODULE_RULES.findLast(({ since }) => isFrom(version, since))!.text;
}
