/** `.modinfo`: NUL-terminated `key=value` strings that a module carries about itself. */
import { ModuleError } from '../errors.js';

export interface Modinfo {
  readonly name: string | undefined;
  readonly vermagic: string | undefined;
  /** Modules that must be loaded first, by name. */
  readonly depends: readonly string[];
  readonly isLivepatch: boolean;
}

/** Far above any module's; what a hostile one may make us split. */
const SIZE_LIMIT = 2 ** 20;

/** @throws ModuleError NOT_A_MODULE for a section of a megabyte or more */
export function parseModinfo(section: Uint8Array): Modinfo {
  if (section.length > SIZE_LIMIT) throw new ModuleError('NOT_A_MODULE', `.modinfo has ${section.length} bytes`);
  const values = new Map<string, string>();
  for (const entry of Buffer.from(section).toString('utf8').split('\0')) {
    const equals = entry.indexOf('=');
    const key = entry.slice(0, equals);
    // As the kernel's get_modinfo(): the first of a key counts.
    if (equals > 0 && !values.has(key)) values.set(key, entry.slice(equals + 1));
  }
  return {
    name: values.get('name'),
    vermagic: values.get('vermagic'),
    depends: (values.get('depends') ?? '').split(',').filter((name) => name !== ''),
    isLivepatch: values.has('livepatch'),
  };
}
