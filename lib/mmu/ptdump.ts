/**
 * The text of /sys/kernel/debug/kernel_page_tables for any tables, column by column as the kernel prints it, so that
 * a dump from a machine and one from here can be diffed.
 *
 * The kernel merges neighbours of one level whose attributes are the same *among those it prints*: the DBM bit, the
 * software bits and the physical address make no difference. Unmapped memory is a line without attributes.
 *
 * @see Linux 6.1, 6.12 arch/arm64/mm/ptdump.c, note_page(), dump_prot()
 */
import { formatVa, type Va, va } from '../address.js';
import { DESCRIPTOR } from './descriptor.js';
import { levelName, type TranslationRegime } from './translation-regime.js';
import { type TranslationTables, type WalkedEntry, walkEntries } from './walker.js';

/** One column: what it says if all bits of `mask` are set, and if not. */
interface Column {
  readonly mask: bigint;
  readonly set: string;
  readonly clear: string;
}

const USER = 1n << 6n;

const COLUMNS: readonly Column[] = [
  { mask: DESCRIPTOR.VALID, set: ' ', clear: 'F' },
  { mask: USER, set: 'USR', clear: '   ' },
  { mask: DESCRIPTOR.RDONLY, set: 'ro', clear: 'RW' },
  { mask: DESCRIPTOR.PXN, set: 'NX', clear: 'x ' },
  { mask: DESCRIPTOR.SHARED, set: 'SHD', clear: '   ' },
  { mask: DESCRIPTOR.AF, set: 'AF', clear: '  ' },
  { mask: DESCRIPTOR.NG, set: 'NG', clear: '  ' },
  { mask: DESCRIPTOR.CONT, set: 'CON', clear: '   ' },
  { mask: DESCRIPTOR.TABLE_OR_PAGE, set: '   ', clear: 'BLK' },
  { mask: DESCRIPTOR.UXN, set: 'UXN', clear: '   ' },
  { mask: DESCRIPTOR.GP, set: 'GP', clear: '  ' },
];

const ATTRIBUTE_INDEX = 7n << 2n;
const PRINTED = COLUMNS.reduce((all, { mask }) => all | mask, ATTRIBUTE_INDEX);

const UNITS = 'KMGTPE';

/** A heading, printed where the dump reaches its address. */
export interface Marker {
  readonly address: Va;
  readonly name: string;
}

export interface DumpRequest {
  readonly start: Va;
  /** Exclusive; 0, the end of the address space, is printed as the kernel prints it: as 0. */
  readonly end: Va;
  /** The rule's names of MAIR_EL1's indexes. */
  readonly memoryTypes: readonly (string | undefined)[];
  /** In rising order. */
  readonly markers?: readonly Marker[];
}

interface Span {
  readonly start: number;
  readonly level: number;
  readonly printed: bigint;
}

/**
 * Dumps what tables map between two addresses.
 * @returns lines, each ended by a newline
 */
export function ptdump(
  tables: TranslationTables & { readonly regime: TranslationRegime },
  request: DumpRequest,
): string {
  const lines: string[] = [];
  const markers = [...(request.markers ?? [])];
  const line = (span: Span, end: number): string => formatSpan(tables.regime, span, end, request.memoryTypes);
  let open: Span | undefined;
  for (const entry of walkEntries(tables, request)) {
    const span = { start: Math.max(entry.va, request.start), level: entry.level, printed: printedBits(entry) };
    const reached = markers.filter(({ address }) => address <= span.start);
    const goesOn = open !== undefined && open.level === span.level && open.printed === span.printed;
    if (goesOn && reached.length === 0) continue;
    if (open !== undefined) lines.push(line(open, span.start));
    lines.push(...markers.splice(0, reached.length).map(({ name }) => `---[ ${name} ]---`));
    open = span;
  }
  if (open !== undefined) lines.push(line(open, request.end));
  const rest = markers.filter(({ address }) => address <= request.end);
  return [...lines, ...rest.map(({ name }) => `---[ ${name} ]---`)].map((text) => `${text}\n`).join('');
}

/** What the kernel compares: a hole above the last level has no bits at all. */
function printedBits({ leaf, level, descriptor }: WalkedEntry): bigint {
  return leaf || level === 3 ? descriptor & PRINTED : 0n;
}

function formatSpan(
  regime: TranslationRegime,
  { start, level, printed }: Span,
  end: number,
  memoryTypes: DumpRequest['memoryTypes'],
): string {
  let size = Math.floor((end - start) / 1024);
  let unit = 0;
  while (size % 1024 === 0 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  const range = `${formatVa(va(start))}-${formatVa(va(end))}   ${String(size).padStart(9)}${UNITS[unit]}`;
  const attributes = printed === 0n ? [] : attributeColumns(printed, memoryTypes);
  return [range, levelName(regime, level), ...attributes].join(' ');
}

function attributeColumns(printed: bigint, memoryTypes: DumpRequest['memoryTypes']): string[] {
  const columns = COLUMNS.map(({ mask, set, clear }) => ((printed & mask) === mask ? set : clear));
  const memoryType = memoryTypes[Number((printed & ATTRIBUTE_INDEX) >> 2n)];
  return memoryType === undefined ? columns : [...columns, memoryType];
}
