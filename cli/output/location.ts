/** Where a kernel ran, as JSON and for a person, with the lines that tell a debugger. */
import { formatU64, formatVa, toU64 } from '../../lib/address.js';
import type { Location } from '../../lib/locate/locate.js';
import { type SeedSet, type SeedSummary, summarizeSeeds } from '../../lib/locate/seed-set.js';
import { formatCount, printFields } from './print.js';

/** A location, and what its source told besides. */
export interface LocationReport {
  readonly location: Location;
  /** What shows that source and kernel file do not belong together. */
  readonly mismatches: readonly string[];
  readonly release?: string | undefined;
  readonly pageSize: number;
  /** File with debug information for a debugger. */
  readonly vmlinux: string;
  readonly swapperPgDir?: bigint | undefined;
  /** Load address of the image. */
  readonly phys?: bigint | undefined;
  readonly physOffset?: bigint | undefined;
  readonly modules?: readonly string[] | undefined;
  /** Offset in a memory dump. */
  readonly position?: number | undefined;
}

/** Without KASLR the kernel saw no seed. */
const NO_SEED: SeedSummary = {
  fixedBits: (1n << 64n) - 1n,
  freeBits: 0n,
  count: 1n,
  lowest: 0n,
  highest: 0n,
  example: 0n,
};

const summaryJson = (seeds: SeedSummary): object =>
  Object.fromEntries(Object.entries(seeds).map(([name, value]) => [name, formatU64(value)]));

/** Fits that tell different seeds; the geometries behind the same ones join. */
function distinctFits({ fits }: Location): { cpuVaBits: number[]; seeds: SeedSet }[] {
  const distinct = new Map<string, { cpuVaBits: number[]; seeds: SeedSet }>();
  for (const { geometry, seeds } of fits) {
    const { lowest, highest } = summarizeSeeds(seeds);
    const key = `${lowest} ${highest}`;
    const known = distinct.get(key)?.cpuVaBits ?? [];
    distinct.set(key, { cpuVaBits: [...new Set([...known, geometry.vaBitsActual])], seeds });
  }
  return [...distinct.values()];
}

const contradictionsOf = ({ location, mismatches }: LocationReport): string[] => [
  ...mismatches,
  ...location.contradictions,
];

export const isConsistent = (report: LocationReport): boolean => contradictionsOf(report).length === 0;

export function locationJson(report: LocationReport): object {
  const { location, release, phys, physOffset, modules, position } = report;
  const candidates = distinctFits(location).map(({ cpuVaBits, seeds }) => ({
    cpuVaBits,
    seeds: summaryJson(summarizeSeeds(seeds)),
  }));
  return {
    text: formatVa(location.text),
    offset: formatU64(BigInt(location.offset)),
    era: location.era,
    vaBits: location.vaBits,
    kaslr: location.kaslr,
    seeds: location.kaslr ? (candidates[0]?.seeds ?? null) : summaryJson(NO_SEED),
    candidates,
    consistent: isConsistent(report),
    contradictions: contradictionsOf(report),
    ...(release !== undefined && { release }),
    ...(phys !== undefined && { phys: formatU64(phys) }),
    ...(physOffset !== undefined && { physOffset: formatU64(physOffset) }),
    ...(position !== undefined && { position }),
    ...(modules !== undefined && { modules }),
  };
}

export function printLocation(report: LocationReport): void {
  const { location, release, phys, modules, position } = report;
  const { text, offset, era, vaBits } = location;
  const contradictions = contradictionsOf(report);
  const optional = (name: string, value: string | undefined): [string, string][] =>
    value === undefined ? [] : [[name, value]];
  printFields([
    ...optional('kernel', release),
    ['era', era],
    ['_text', formatVa(text)],
    ['offset', formatU64(BigInt(offset))],
    ...optional('loaded at', phys === undefined ? undefined : formatU64(phys)),
    ...optional('found at', position === undefined ? undefined : `byte 0x${position.toString(16)} of the dump`),
    ['VA bits', String(vaBits)],
    ...seedFields(location),
    ['consistent', contradictions.length === 0 ? 'yes' : 'no'],
    ...contradictions.map((reason): [string, string] => ['', reason]),
    ...optional('modules', modules?.join(' ')),
    ...(offset > 0 && contradictions.length === 0 ? debuggerFields(report) : []),
  ]);
}

function seedFields(location: Location): [string, string][] {
  if (!location.kaslr) return [['seed', 'none: KASLR was off']];
  return distinctFits(location).flatMap(({ cpuVaBits, seeds }) => {
    const { fixedBits, count, lowest, highest, example } = summarizeSeeds(seeds);
    const range = `${formatU64(lowest)} - ${formatU64(highest)}`;
    return [
      [
        'seed',
        `${formatU64(example)}, or another of ${formatCount(Number(count))}, on a CPU with ${cpuVaBits.join(' or ')} VA bits`,
      ],
      ['', seeds.kind === 'interval' ? range : `with the same bits in ${formatU64(fixedBits)}`],
    ];
  });
}

/** gdb 8.3 and later, crash for arm64, and drgn where it can be given vmcoreinfo. */
function debuggerFields({
  location,
  vmlinux,
  phys,
  release,
  pageSize,
  swapperPgDir,
}: LocationReport): [string, string][] {
  const { text, offset, vaBits } = location;
  const slide = `0x${offset.toString(16)}`;
  const voffset =
    phys === undefined ? '' : ` -m kimage_voffset=0x${BigInt.asUintN(64, toU64(text) - phys).toString(16)}`;
  const fields: [string, string][] = [
    ['gdb', `symbol-file -o ${slide} ${vmlinux}`],
    ['', `add-symbol-file ${vmlinux} -o ${slide}`],
    ['crash', `crash --kaslr=${slide}${voffset} ${vmlinux} VMCORE`],
  ];
  if (release !== undefined && swapperPgDir !== undefined) {
    const info = [
      `OSRELEASE=${release}`,
      `PAGESIZE=${pageSize}`,
      `SYMBOL(swapper_pg_dir)=${swapperPgDir.toString(16)}`,
      `NUMBER(VA_BITS)=${vaBits}`,
      `KERNELOFFSET=${offset.toString(16)}`,
    ];
    fields.push(['drgn', `drgn.Program(vmcoreinfo="${info.join('\\n')}\\n")`]);
  }
  return fields;
}
