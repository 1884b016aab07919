/**
 * The mapping of booted kernels against theirs as read from memory, descriptor by descriptor.
 *
 * pagetables/debian-*.json are the leaf entries under TTBR1_EL1 that cover the image, at __primary_switched ("early")
 * and after boot ("booted"), of Debian kernels under QEMU on a Cortex-A57 (which needs page-table isolation).
 * pagetables/runs.json has more kernels, page sizes and CPUs in short form: runs of equal entries, `[offset of VA and
 * PA, size, count, descriptor without its address]`, and the tables on the way to them.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatU64, formatVa, parseVa, va } from '../../lib/address.js';
import { type Boundaries, inferBoundaries } from '../../lib/mmu/boundary.js';
import { type KernelMapping, mapKernel } from '../../lib/mmu/kernel-mapping.js';
import { translationRegime } from '../../lib/mmu/translation-regime.js';
import { type Leaf, translate } from '../../lib/mmu/walker.js';

interface Recording {
  text: string;
  phys: string;
  imageSize: number;
  pageSize: number;
  symbols: Record<string, string>;
  early: StageRecording;
  booted: StageRecording;
}

interface StageRecording {
  vaBits: number;
  startLevel: number;
  leaves: [va: string, pa: string, size: number, descriptor: string][];
}

interface ShortRecording {
  id: string;
  version: string;
  cpu: string;
  text: string;
  phys: string;
  pageSize: number;
  vaBits: number;
  nonGlobal: boolean;
  /** Offsets from `_text`. */
  symbols: Record<string, number>;
  early: ShortStage;
  booted: ShortStage;
}

interface ShortStage {
  startLevel: number;
  lpa2: boolean;
  tables: number;
  tableAttributes: string;
  runs: [offset: number, size: number, count: number, attributes: string][];
}

function load<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`pagetables/${file}.json`, import.meta.url), 'utf8')) as T;
}

const STAGES = [
  ['early', 'early'],
  ['booted', 'final'],
] as const;

/**
 * Offsets that a kernel's symbol table lacks: 6.1 lists text symbols only. From its PE/COFF header (.data) and its
 * relocations (init_stack); boundary.test.ts shows how they are found.
 */
const KERNELS: { file: string; version: string; offsets: Record<string, number> }[] = [
  { file: 'debian-6.1', version: '6.1', offsets: { __initdata_begin: 0x1740000, _data: 0x1cb0000 } },
  { file: 'debian-6.12', version: '6.12', offsets: {} },
];

describe.each(KERNELS)('$file', ({ file, version, offsets }) => {
  const recording = load<Recording>(file);
  const text = parseVa(recording.text, 'text');
  const symbols: Boundaries = Object.fromEntries([
    ...Object.entries(recording.symbols).map(([name, address]) => [name, parseVa(address, name)]),
    ...Object.entries(offsets).map(([name, offset]) => [name, va(text + offset)]),
    ['_end', va(text + recording.imageSize)],
  ]);
  const { boundaries } = inferBoundaries({ symbols, text });

  describe.each(STAGES)('%s', (recorded, stage) => {
    const { vaBits, startLevel, leaves } = recording[recorded];
    const regime = translationRegime({ pageSize: recording.pageSize, vaBits });
    const phys = Number(recording.phys);
    const mapping = mapKernel({ version, stage, regime, boundaries, phys, features: { nonGlobal: true } });

    it('has the same leaves, every bit of every descriptor', () => {
      const lines = mapping.leaves.map((leaf) =>
        [formatVa(leaf.va), leaf.pa, leaf.size, formatU64(leaf.descriptor)].join(' '),
      );
      expect(lines).toEqual(
        leaves.map(([at, pa, size, word]) => [at, Number(pa), size, formatU64(BigInt(word))].join(' ')),
      );
    });

    it('starts its walk at the recorded level', () => {
      expect(regime.startLevel).toBe(startLevel);
    });

    it('translates every recorded page to its recorded address', () => {
      for (const [at, pa, size] of leaves) {
        const last = va(parseVa(at, 'va') + size - 1);
        expect(translate(mapping.tables, last)).toMatchObject({ pa: Number(pa) + size - 1 });
      }
    });
  });
});

/** Leaves in the short form. */
function runsOf(leaves: readonly Leaf[], text: number): ShortStage['runs'] {
  const runs: ShortStage['runs'] = [];
  for (const leaf of leaves) {
    const offset = leaf.va - text;
    const attributes = `0x${(leaf.descriptor ^ BigInt(leaf.pa)).toString(16)}`;
    const last = runs.at(-1);
    if (last?.[1] === leaf.size && last[3] === attributes && last[0] + last[1] * last[2] === offset) last[2]++;
    else runs.push([offset, leaf.size, 1, attributes]);
  }
  return runs;
}

describe.each(load<ShortRecording[]>('runs'))('$id at $phys on a $cpu, $vaBits VA bits', (recording) => {
  const text = parseVa(recording.text, 'text');
  const phys = Number(recording.phys);
  const symbols = Object.fromEntries(
    Object.entries(recording.symbols).map(([name, offset]) => [name, va(text + offset)]),
  );
  const { boundaries } = inferBoundaries({ symbols, text });

  it.each(STAGES)('%s: the same leaves, tables and table descriptors', (recorded, stage) => {
    const expected = recording[recorded];
    const format = expected.lpa2 ? 'lpa2' : '48-bit';
    const regime = translationRegime({ pageSize: recording.pageSize, vaBits: recording.vaBits, format });
    const { version, nonGlobal } = recording;
    const mapping: KernelMapping = mapKernel({ version, stage, regime, boundaries, phys, features: { nonGlobal } });
    expect(runsOf(mapping.leaves, text)).toEqual(expected.runs);
    for (const leaf of mapping.leaves) expect(leaf.pa - phys).toBe(leaf.va - text);
    expect(mapping.tables.pages).toBe(expected.tables);
    expect(regime.startLevel).toBe(expected.startLevel);
    expect(mapping.rule[stage].tableAttributes | 3n).toBe(BigInt(expected.tableAttributes));
  });
});
