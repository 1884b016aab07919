/**
 * What the kernel says of symbols and versions of modules.
 * @see Linux 6.1 kernel/module/main.c, simplify_symbols(), check_modinfo(); kernel/module/version.c
 */
import type { Pattern } from './explanation.js';

const REBUILD =
  'Rebuild the module against the headers, configuration and Module.symvers of the running kernel, or install the module that came with it';

const ERRORS: Readonly<Record<string, { readonly meaning: string; readonly remedy: string }>> = {
  '-2': {
    meaning:
      'nobody exports it: neither the kernel nor a module loaded so far, or only to GPL modules and this is none (-2: ENOENT)',
    remedy:
      'Load what exports it first (modprobe does, insmod does not; symbols lists what the kernel exports); if nothing does, the kernel was built without the option or is another version.',
  },
  '-22': {
    meaning:
      'it is exported, but with another checksum, or from a namespace that the module does not import (-22: EINVAL); a line before says which',
    remedy: `${REBUILD}.`,
  },
  '-16': {
    meaning: 'the module that exports it was still starting after 30 seconds (-16: EBUSY)',
    remedy: 'See why the init function of that module does not return.',
  },
};
/** Kernels up to 2.6 print 0, or no number, for the same. */
const NOT_EXPORTED = ERRORS['-2']!;

export const SYMBOL_PATTERNS: readonly Pattern[] = [
  {
    id: 'unknown-symbol',
    keyword: 'Unknown symbol',
    expression: /(\S{1,64}): Unknown symbol (\S{1,512})(?: \(err (-?\d{1,4})\))?/,
    read: ([, module, symbol, code]) => {
      const { meaning, remedy } = ERRORS[code ?? '-2'] ?? NOT_EXPORTED;
      return { meaning: `${module} needs the symbol ${symbol}: ${meaning}.`, remedy, module, search: { symbol } };
    },
  },
  {
    id: 'symbol-version',
    keyword: 'disagrees about',
    expression: /(\S{1,64}): disagrees about version of symbol (\S{1,512})/,
    read: ([, module, symbol]) => ({
      meaning:
        symbol === 'module_layout'
          ? `${module} was built with another idea of struct module and all it holds: for a kernel of other configuration or version, whatever the version magic says.`
          : `${module} was built with another declaration of ${symbol} (MODVERSIONS compares checksums of types): for a kernel of other configuration or version.`,
      remedy: `${REBUILD}.`,
      module,
      search: { symbol },
    }),
  },
  {
    id: 'no-symbol-version',
    keyword: 'no symbol version',
    expression: /(\S{1,64}): no symbol version for (\S{1,512})/,
    read: ([, module, symbol]) => ({
      meaning: `${module} has no checksum for ${symbol}, which this kernel wants to compare (MODVERSIONS): built without Module.symvers, or for a kernel without.`,
      remedy: `${REBUILD}.`,
      module,
      search: { symbol },
    }),
  },
  {
    id: 'version-magic',
    keyword: 'version magic',
    expression: /(\S{1,64}): version magic '([^']{0,200})' should be '([^']{0,200})'/,
    read: ([, module, has, wants]) => ({
      meaning: `${module} was built for the kernel '${has}', this one is '${wants}'. With MODVERSIONS all but the release itself must be the same.`,
      remedy: `${REBUILD}.`,
      module,
    }),
  },
];
