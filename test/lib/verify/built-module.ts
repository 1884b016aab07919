/** A module object with just the relocations a test is about, to symbols in all the places a symbol can be. */
import { type ModuleFile, openModule } from '../../../lib/module/module-file.js';
import {
  ALLOC,
  buildModule,
  EXEC,
  LOCAL,
  type ObjectRelocation,
  type ObjectSymbol,
  WEAK,
  WRITE,
} from '../../support/object-file.js';

const SECTIONS = [
  { name: '.text', flags: ALLOC | EXEC },
  { name: '.init.text', flags: ALLOC | EXEC },
  { name: '.rodata', flags: ALLOC },
  { name: '.data..percpu', flags: ALLOC | WRITE },
  { name: '.debug_info', flags: 0 },
] as const;

export type SectionName = (typeof SECTIONS)[number]['name'];

const SHN_ABS = 0xfff1;
const FUNCTION = 2;

const SYMBOLS: readonly ObjectSymbol[] = [
  { name: 'start', section: '.text', type: FUNCTION },
  { name: 'next', section: '.text', type: FUNCTION, value: 0x40n },
  { name: 'table', section: '.rodata', value: 0x20n },
  { name: 'counter', section: '.data..percpu' },
  { name: 'setup', section: '.init.text', type: FUNCTION },
  { name: 'jiffies' },
  { name: 'maybe', bind: WEAK },
  { name: 'checksum', section: SHN_ABS, value: 0xfedcba98n },
  { name: 'note', section: '.debug_info' },
  { name: '$d', section: '.text', bind: LOCAL, value: 0x180n },
  { name: '$x', section: '.text', bind: LOCAL, value: 0x190n },
];

export interface BuiltReference {
  /** Default: `.text`. */
  readonly section?: SectionName;
  /** Default: 0. */
  readonly offset?: number;
  readonly type: number;
  /** By name, or an index of any value. */
  readonly symbol: string | number;
  readonly addend?: bigint;
  /** The instruction there; default: 0, which is none. */
  readonly word?: number;
}

export interface BuiltOptions {
  readonly vermagic?: string;
  /** Instructions of `.text` that are not relocated, by offset. */
  readonly code?: Readonly<Record<number, number>>;
}

/** The module, of 4 KiB sections. */
export function builtModule(
  references: readonly BuiltReference[],
  { vermagic = '6.1.0 SMP mod_unload', code = {} }: BuiltOptions = {},
): ModuleFile {
  const relocations: Record<string, ObjectRelocation[]> = {};
  const sections = SECTIONS.map((section) => ({ ...section, data: Buffer.alloc(4096), align: 8 }));
  for (const [offset, word] of Object.entries(code)) sections[0]!.data.writeUInt32LE(word, Number(offset));
  for (const { section = '.text', offset = 0, word = 0, ...reference } of references) {
    sections.find(({ name }) => name === section)!.data.writeUInt32LE(word, offset);
    relocations[section] ??= [];
    relocations[section].push({ offset, ...reference });
  }
  return openModule(buildModule({ sections, symbols: SYMBOLS, relocations }, `vermagic=${vermagic}`), 'built');
}
