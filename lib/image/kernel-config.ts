/** The few settings of a kernel .config that decide where things go; every other line is passed over. */
import { ImageFormatError } from '../errors.js';

export interface KernelConfig {
  /** CONFIG_RANDOMIZE_MODULE_REGION_FULL; distributions set it. */
  readonly fullRegion: boolean;
  readonly kasan: boolean;
  readonly vaBits: number | undefined;
  /** CONFIG_KALLSYMS_ALL, which changes what modules keep of their symbol tables. */
  readonly kallsymsAll: boolean;
  readonly kallsyms: boolean;
  readonly moduleUnload: boolean;
}

/** What a kernel is taken to have where no configuration is at hand: the distributions' choice. */
export const DEFAULT_CONFIG: KernelConfig = {
  fullRegion: true,
  kasan: false,
  vaBits: undefined,
  kallsymsAll: true,
  kallsyms: true,
  moduleUnload: true,
};

/**
 * Reads the text of a .config. An absent option is off, as Kconfig writes it.
 * @throws ImageFormatError BAD_TABLE if it sets no option at all: then it is some other file
 */
export function parseKernelConfig(text: string): KernelConfig {
  const values = new Map(
    Array.from(text.matchAll(/^(CONFIG_\w+)=(.*)$/gm), ([, name, value]) => [name!, value!.trim()]),
  );
  if (values.size === 0) throw new ImageFormatError('BAD_TABLE', 'no CONFIG_ line: is this a kernel .config?');
  const isOn = (name: string): boolean => values.get(name) === 'y';
  const vaBits = Number(values.get('CONFIG_ARM64_VA_BITS'));
  return {
    fullRegion: isOn('CONFIG_RANDOMIZE_MODULE_REGION_FULL'),
    kasan: isOn('CONFIG_KASAN'),
    vaBits: Number.isInteger(vaBits) && vaBits > 0 ? vaBits : undefined,
    kallsymsAll: isOn('CONFIG_KALLSYMS_ALL'),
    kallsyms: isOn('CONFIG_KALLSYMS'),
    moduleUnload: isOn('CONFIG_MODULE_UNLOAD'),
  };
}
