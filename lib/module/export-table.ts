/**
 * A module's exports, read from its relocated `__ksymtab` sections as the kernel reads them: a static function may share an
 * exported one's name, and only the entry tells them apart.
 */
import { type Va, va } from '../address.js';
import type { LoadedSection } from './loaded-module.js';
import type { LoaderRule } from './loader-rule.js';

const SECTIONS = ['__ksymtab', '__ksymtab_gpl'];
/** KSYM_NAME_LEN: without a bound, entries that all name the same megabyte cost its length each. */
const NAME_LIMIT = 512;
const TWO_32 = 2 ** 32;

/** Names by address: what `sections` export. Entries that point outside the module's own sections are passed over. */
export function readExports(sections: readonly LoadedSection[], { ksymtab }: LoaderRule): Map<string, Va> {
  const exports = new Map<string, Va>();
  const { entrySize, isRelative } = ksymtab;
  for (const table of sections.filter(({ name }) => SECTIONS.includes(name))) {
    const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.length);
    const relative = (at: number): number => table.address + at + view.getInt32(at, true);
    const pointer = (at: number): number => view.getInt32(at + 4, true) * TWO_32 + view.getUint32(at, true);
    for (let at = 0; at + entrySize <= table.bytes.length; at += entrySize) {
      const name = readString(sections, isRelative ? relative(at + 4) : pointer(at + 8));
      if (name !== undefined && !exports.has(name)) exports.set(name, va(isRelative ? relative(at) : pointer(at)));
    }
  }
  return exports;
}

function readString(sections: readonly LoadedSection[], address: number): string | undefined {
  const section = sections.find((s) => address >= s.address && address < s.address + s.bytes.length);
  if (!section) return undefined;
  const start = address - section.address;
  const length = section.bytes.subarray(start, start + NAME_LIMIT).indexOf(0);
  return length <= 0 ? undefined : Buffer.from(section.bytes.subarray(start, start + length)).toString('latin1');
}
