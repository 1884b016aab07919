import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatVa, parseVa, va } from '../../../lib/address.js';
import { eraByKey, eraOfVersion } from '../../../lib/kaslr/era.js';
import { geometryOf, vaLayout } from '../../../lib/kaslr/layout.js';
import { type Chosen, type Machine, place, requireRunnable } from '../../../lib/kaslr/place.js';
import {
  type ReferenceEra,
  referenceBoxes,
  referenceLayout,
  referenceModuleBase,
  referenceOffset,
} from '../../support/reference-placement.js';
import { codeOf } from '../../support/thrown.js';
import { ERA_KEYS, referenceMachines, seeds, toMachine } from './machine.js';

const MIB = 2 ** 20;
const BLOCK = 2 * MIB;

describe.each(ERA_KEYS)('era %s', (era) => {
  const machines = referenceMachines(era);

  it('lays out the address space as the reference does', () => {
    fc.assert(
      fc.property(machines, (machine) => {
        const { modulesVaddr, kimageVaddr, vmallocEnd } = vaLayout(eraByKey(era), toMachine(machine).geometry);
        const found = { modulesVaddr, kimageVaddr, vmallocEnd };
        const expected = referenceLayout(machine);
        expect(found).toEqual(
          Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, Number(value)])),
        );
      }),
    );
  });

  it('puts the image where the reference does, from any seed, geometry and physical address', () => {
    fc.assert(
      fc.property(machines, seeds, (machine, seed) => {
        const { offset, text, end } = place(toMachine(machine), { seed });
        const expected = referenceOffset(machine, seed);
        expect(BigInt(offset)).toBe(expected);
        expect(BigInt(text)).toBe(referenceLayout(machine).kimageVaddr + expected);
        expect(end - text).toBe(Number(machine.imageSize));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the image above its link address in the upper half, at 2 MiB steps from where the loader put it', () => {
    fc.assert(
      fc.property(machines, seeds, (machine, seed) => {
        const { text, end } = place(toMachine(machine), { seed });
        const { kimageVaddr } = referenceLayout(machine);
        expect(BigInt(text) - machine.phys - kimageVaddr).toBe(
          ((BigInt(text) - machine.phys - kimageVaddr) >> 21n) << 21n,
        );
        expect(BigInt(text)).toBeGreaterThanOrEqual(kimageVaddr);
        expect(end).toBeLessThan(0);
      }),
    );
  });

  it('says where modules go as the reference does', () => {
    fc.assert(
      fc.property(machines, seeds, (machine, seed) => {
        const { modules } = place(toMachine(machine), { seed });
        if (era === '6.5' || era === '6.9' || era === '6.16') {
          const windows = referenceBoxes(machine, seed).map(({ kind, lowest, highest }) => ({
            kind,
            size: kind === 'direct' ? 2 ** 27 : 2 ** 31,
            lowest: Number(lowest),
            highest: Number(highest),
          }));
          expect(modules).toEqual({ windows });
        } else if (era === '6.0' && seed !== 0n) {
          const [lowest, highest] = [0n, 0x1fffffn].map((random) => Number(referenceModuleBase(machine, seed, random)));
          const kind = machine.fullRegion ? 'plt' : 'direct';
          expect(modules).toEqual({ windows: [{ kind, size: 2 ** 27, lowest, highest }] });
        } else {
          const base = Number(referenceModuleBase(machine, seed, seed));
          expect(modules).toEqual({ base, end: base + 2 ** 27 });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same place for the run address as for the seed that led to it', () => {
    fc.assert(
      fc.property(machines, seeds, (machine, seed) => {
        const bySeed = place(toMachine(machine), { seed });
        const byText = place(toMachine(machine), { text: bySeed.text });
        const image = ({ era: key, offset, text, end, crossesBoundary }: typeof bySeed) => [
          key,
          offset,
          text,
          end,
          crossesBoundary,
        ];
        expect(image(byText)).toEqual(image(bySeed));
        expect(byText.seed).toBeUndefined();
      }),
    );
  });

  it('with seed 0 leaves the image at its link address, moved by the physical displacement alone', () => {
    fc.assert(
      fc.property(machines, (machine) => {
        expect(place(toMachine(machine), { seed: 0n }).offset).toBe(Number(machine.phys % BigInt(BLOCK)));
      }),
    );
  });
});

describe('measured addresses', () => {
  interface Oracle {
    id: string;
    imageSize: number;
    linkBase: string;
    boots: { seed: string; cpu: string; text: string }[];
  }
  const folder = new URL('../../conformance/images/', import.meta.url);
  const boots = readdirSync(folder).flatMap((file) => {
    const oracle = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Oracle;
    return oracle.boots.map((boot) => ({ ...boot, oracle, id: oracle.id }));
  });

  it.each(boots)('$id seed $seed on $cpu', ({ oracle, seed, cpu, text }) => {
    const [, major, minor] = /-(\d+)\.(\d+)/.exec(oracle.id)!;
    const era = eraOfVersion({ major: Number(major), minor: Number(minor) });
    const kernel = {
      pageSize: oracle.id.endsWith('16k') ? 16384 : 4096,
      vaBits: Number(major) > 6 || Number(minor) === 12 ? 52 : 48,
    };
    const { imageSize } = oracle;
    const machine = { era, geometry: geometryOf(kernel, cpu === 'max' ? 52 : undefined), imageSize };
    const chosen = { seed: BigInt(`0x${seed}`) };
    expect(formatVa(place(machine, chosen).text)).toBe(text);
    expect(formatVa(place({ ...machine, linkBase: parseVa(oracle.linkBase, 'base') }, chosen).text)).toBe(text);
  });

  it('differ by the CPU for a kernel of 52 bits from 6.9 on', () => {
    const text = (cpu: number | undefined, key: string) => {
      const machine = {
        era: eraByKey(key),
        geometry: geometryOf({ pageSize: 4096, vaBits: 52 }, cpu),
        imageSize: 38731776,
      };
      return formatVa(place(machine, { seed: 0xfedcba9876543210n }).text);
    };
    expect(text(undefined, '6.9')).toBe('0xffffde3841e00000');
    expect(text(48, '6.9')).toBe('0xffffde3841e00000');
    expect(text(52, '6.9')).toBe('0xffffb15a64000000');
    expect(text(52, '6.5')).toBe(text(48, '6.5'));
  });
});

describe('the boundary that images of the first eras may not cross', () => {
  /** 1 GiB, 32 MiB, 512 MiB. */
  const GEOMETRIES = [
    { pageSize: 4096, vaBits: 48, shift: 30, block: BLOCK },
    { pageSize: 16384, vaBits: 47, shift: 25, block: 16384 },
    { pageSize: 65536, vaBits: 48, shift: 29, block: 65536 },
  ];

  /** The image placed so that its `_end` would lie `beyond` bytes past a boundary. */
  function placed(key: ReferenceEra, geometry: (typeof GEOMETRIES)[number], beyond: number) {
    const size = 10 * MIB;
    const machine: Machine = {
      era: eraByKey(key),
      geometry: geometryOf(geometry),
      imageSize: size + beyond,
      etext: 4 * MIB,
    };
    const boundary = 2 ** geometry.shift;
    const link = vaLayout(machine.era, machine.geometry).kimageVaddr;
    // The first boundary that lies far enough above the link address, in steps of 2 MiB.
    const start = Math.ceil((link + 64 * boundary) / boundary) * boundary - size;
    const seed = BigInt(start - link);
    return { ...place(machine, { seed }), seed: Number(seed), size: size + beyond, boundary };
  }

  it.each(GEOMETRIES)('$pageSize: is not touched by an image that ends a byte before it', (geometry) => {
    for (const key of ['4.6', '4.12'] as const) {
      const { offset, seed, crossesBoundary } = placed(key, geometry, -1);
      expect([offset, crossesBoundary]).toEqual([seed, false]);
    }
  });

  it.each(GEOMETRIES)(
    '$pageSize: is crossed by one that ends on it, for the kernel compares _end itself',
    (geometry) => {
      for (const beyond of [0, 1, 4096]) {
        const old = placed('4.6', geometry, beyond);
        const moved = old.seed + Math.ceil(old.size / geometry.block) * geometry.block;
        expect(old.offset).toBe(moved - (moved % BLOCK));
        const later = placed('4.12', geometry, beyond);
        expect(later.offset).toBe(Math.floor(later.seed / later.boundary) * later.boundary);
      }
    },
  );

  it.each(GEOMETRIES)('$pageSize: is ignored from 4.17 on, and reported', (geometry) => {
    const machine: Machine = {
      era: eraByKey('4.17'),
      geometry: geometryOf(geometry),
      imageSize: 10 * MIB,
      etext: 4 * MIB,
    };
    const start = -(2 ** (geometry.vaBits - 2)) - BLOCK;
    expect(place(machine, { text: va(start) }).crossesBoundary).toBe(true);
    expect(place({ ...machine, imageSize: BLOCK }, { text: va(start) }).crossesBoundary).toBe(false);
    expect(place({ ...machine, imageSize: BLOCK + 1 }, { text: va(start) }).crossesBoundary).toBe(true);
  });
});

describe('place', () => {
  const machine: Machine = {
    era: eraByKey('6.0'),
    geometry: geometryOf({ pageSize: 4096, vaBits: 48 }),
    imageSize: 32 * MIB,
  };

  it.each([2n ** 64n, -1n, 2n ** 65n])('takes no seed of more than 64 bits: %d', (seed) => {
    expect(codeOf(() => place(machine, { seed }))).toBe('BAD_SEED');
  });

  it('takes the physical address relative to the link address, as kernels up to 5.7 with a text_offset need', () => {
    const linkBase = parseVa('0xffff000008080000', 'base');
    const old: Machine = { ...machine, era: eraByKey('4.6'), linkBase };
    const offset = (phys: bigint) => place({ ...old, phys }, { seed: 0n }).offset;
    expect(offset(0x40080000n)).toBe(0);
    expect(offset(0x40000000n)).toBe(0x180000);
    expect(offset(0x40280000n)).toBe(0);
    expect(offset(0x400a0000n)).toBe(0x20000);
  });

  it('replaces the low 21 bits of the offset from 6.0 on and adds the displacement before', () => {
    const seed = 0xfedcba9876543210n;
    const low = (key: string, phys: bigint) =>
      place({ ...machine, era: eraByKey(key), phys, etext: MIB }, { seed }).text;
    for (const key of ERA_KEYS) expect(low(key, 0x41230000n) - low(key, 0x41200000n)).toBe(0x30000);
  });

  it('needs no _etext: where a region hangs on it, the window is as wide as any _etext makes it', () => {
    const keys = ERA_KEYS.filter((key) => key < '6.5');
    fc.assert(
      fc.property(fc.constantFrom(...keys).chain(referenceMachines), seeds, (reference, seed) => {
        const known = toMachine(reference);
        const { modules } = place({ ...known, etext: undefined }, { seed });
        const exact = place(known, { seed }).modules;
        const [first, last] =
          'base' in exact ? [exact.base, exact.base] : [exact.windows[0]!.lowest, exact.windows[0]!.highest];
        const [lowest, highest] =
          'base' in modules ? [modules.base, modules.base] : [modules.windows[0]!.lowest, modules.windows[0]!.highest];
        expect(lowest <= first && last <= highest).toBe(true);
      }),
    );
  });

  it('places an image at an address below its link address too: a crash log is right by definition', () => {
    const { offset, text } = place(machine, { text: parseVa('0xffff000000000000', 'text') });
    expect(formatVa(text)).toBe('0xffff000000000000');
    expect(offset).toBeLessThan(0);
  });

  it('refuses an image that would end outside the address space', () => {
    expect(codeOf(() => place({ ...machine, imageSize: 2 ** 54 }, { seed: 1n }))).toBe('ADDRESS_RANGE');
    expect(codeOf(() => place(machine, { text: parseVa('0x000fffffffff0000', 'text') }))).toBe('ADDRESS_RANGE');
  });
});

describe('an address that is given', () => {
  const machine: Machine = {
    era: eraByKey('6.9'),
    geometry: geometryOf({ pageSize: 4096, vaBits: 48 }),
    imageSize: 16 * MIB,
  };
  const lowest = -(2 ** 48);
  const refusal = (chosen: Chosen, phys?: bigint) =>
    codeOf(() => requireRunnable(place({ ...machine, phys }, chosen), machine.geometry));

  it.each([lowest, lowest + 4096, -16 * MIB])('%d holds an image', (text) => {
    expect(refusal({ text: va(text) })).toBeUndefined();
  });

  it.each([
    [lowest - 4096, 'ADDRESS_RANGE'],
    [-16 * MIB + 4096, 'ADDRESS_RANGE'],
    [0, 'ADDRESS_RANGE'],
    [4096, 'ADDRESS_RANGE'],
    [-32 * MIB + 2048, 'BAD_LAYOUT'],
    [-32 * MIB + 1, 'BAD_LAYOUT'],
  ])('%d holds none: %s', (text, code) => {
    expect(refusal({ text: va(text) })).toBe(code);
  });

  it('follows from a seed to the page only if the load address does', () => {
    expect(refusal({ seed: 5n }, 0x40201000n)).toBeUndefined();
    expect(refusal({ seed: 5n }, 0x40200800n)).toBe('BAD_LAYOUT');
  });
});
