/**
 * The kernel a module was built for, as far as its version magic tells: `6.1.0-56-arm64 SMP mod_unload modversions aarch64`.
 * @see Linux 6.1 include/linux/vermagic.h
 */
import type { KernelVersion } from '../kaslr/era.js';
import { type LoaderEnvironment, loaderRuleOf } from '../module/loader-rule.js';
import type { ModuleFile } from '../module/module-file.js';

/** Undefined if the module has no version magic or one that begins with no version. */
export function builtForVersion({ modinfo }: ModuleFile): KernelVersion | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})(?!\d)/.exec(modinfo.vermagic ?? '');
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/**
 * The kernel to load the module into when there is none at hand: 4 KiB pages, whose multiples every other page size is, kallsyms
 * of functions, no erratum.
 * @throws PltError UNKNOWN_VERSION before 4.6
 */
export function builtForEnvironment(file: ModuleFile, version: KernelVersion): LoaderEnvironment {
  return {
    rule: loaderRuleOf(version),
    pageSize: 4096,
    kallsyms: 'functions',
    moduleUnload: (file.modinfo.vermagic ?? '').split(' ').includes('mod_unload'),
    erratum843419: false,
  };
}
