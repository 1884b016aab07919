/**
 * The mapping of booted kernels against theirs as read from memory, descriptor by descriptor.
 *
 * pagetables/*.json are the leaf entries under TTBR1_EL1 that cover the image, at __primary_switched ("early") and
 * after boot ("booted"), of Debian kernels under QEMU on a Cortex-A57 (which needs page-table isolation).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatU64, formatVa, parseVa, va } from '../../lib/address.js';
import { type Boundaries, inferBoundaries } from '../../lib/mmu/boundary.js';
import { mapKernel } from '../../lib/mmu/kernel-mapping.js';
import { translationRegime } from '../../lib/mmu/translation-regime.js';
import { translate } from '../../lib/mmu/walker.js';

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
  tcr: string;
  vaBits: number;
  startLevel: number;
  leaves: [va: string, pa: string, size: number, descriptor: string][];
}

/**
 * Offsets that a kernel's symbol table lacks: 6.1 lists text symbols only. From its PE/COFF header (.data) and its
 * relocations (init_stack); boundary.test.ts shows how they are found.
 */
const KERNELS: { file: string; version: string; offsets: Record<string, number> }[] = [
  { file: 'debian-6.1', version: '6.1', offsets: { __initdata_begin: 0x1740000, _data: 0x1cb0000 } },
  { file: 'debian-6.12', version: '6.12', offsets: {} },
];

describe.each(KERNELS)('$file', ({ file, version, offsets }) => {
  const recording = JSON.parse(readFileSync(new URL(`pagetables/${file}.json`, import.meta.url), 'utf8')) as Recording;
  const text = parseVa(recording.text, 'text');
  const symbols: Boundaries = Object.fromEntries([
    ...Object.entries(recording.symbols).map(([name, address]) => [name, parseVa(address, name)]),
    ...Object.entries(offsets).map(([name, offset]) => [name, va(text + offset)]),
    ['_end', va(text + recording.imageSize)],
  ]);
  const { boundaries } = inferBoundaries({ symbols, text });

  describe.each(['early', 'booted'] as const)('%s', (stage) => {
    const { vaBits, startLevel, leaves } = recording[stage];
    const regime = translationRegime({ pageSize: recording.pageSize, vaBits });
    const mapping = mapKernel({
      version,
      stage: stage === 'early' ? 'early' : 'final',
      regime,
      boundaries,
      phys: Number(recording.phys),
      features: { nonGlobal: true },
    });

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
