/** Machines for property tests: every configuration that a kernel of an era can have, and both libraries' views of it. */
import fc from 'fast-check';
import { eraByKey } from '../../../lib/kaslr/era.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import type { Machine } from '../../../lib/kaslr/place.js';
import type { ReferenceEra, ReferenceMachine } from '../../support/reference-placement.js';

export const ERA_KEYS: readonly ReferenceEra[] = ['4.6', '4.12', '4.17', '5.4', '6.0', '6.5', '6.9', '6.16'];

const PAGE_AND_VA: readonly (readonly [number, number])[] = [
  [4096, 39],
  [4096, 48],
  [16384, 36],
  [16384, 47],
  [16384, 48],
  [65536, 42],
  [65536, 48],
];
/** 52 bits: with 64K pages when the address space was turned over, with others when LPA2 came. */
const WIDE: Readonly<Partial<Record<ReferenceEra, readonly (readonly [number, number])[]>>> = {
  '5.4': [[65536, 52]],
  '6.0': [[65536, 52]],
  '6.5': [[65536, 52]],
};
const ALL_WIDE = [
  [4096, 52],
  [16384, 52],
  [65536, 52],
] as const;

export function geometries(era: ReferenceEra): readonly (readonly [number, number])[] {
  const wide = era === '6.9' || era === '6.16' ? ALL_WIDE : (WIDE[era] ?? []);
  return [...PAGE_AND_VA, ...wide];
}

/** What the reference takes; page-aligned boundaries, as linker scripts make them. */
export function referenceMachines(era: ReferenceEra): fc.Arbitrary<ReferenceMachine> {
  return fc
    .record({
      geometry: fc.constantFrom(...geometries(era)),
      wideCpu: fc.boolean(),
      // Some images too large for a direct box.
      segments: fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1200 })),
      stext: fc.constantFrom(0, 0x1000, 0x10000),
      phys: fc.oneof(
        fc.constant(0n),
        fc.bigInt({ min: 0n, max: 2n ** 48n - 1n }).map((x) => x & ~0xffffn),
      ),
      fullRegion: fc.boolean(),
      kasan: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    })
    .map(({ geometry: [pageSize, vaBits], wideCpu, segments: [text, rest], stext, phys, fullRegion, kasan }) => ({
      era,
      pageSize: BigInt(pageSize),
      vaBits: BigInt(vaBits),
      vaBitsActual: BigInt(geometryOf({ pageSize, vaBits }, wideCpu ? 52 : undefined).vaBitsActual),
      imageSize: BigInt((text + rest) * 0x10000),
      stext: BigInt(stext),
      etext: BigInt(text * 0x10000),
      phys,
      fullRegion,
      kasan,
    }));
}

export function toMachine(machine: ReferenceMachine): Machine {
  const kernel = { pageSize: Number(machine.pageSize), vaBits: Number(machine.vaBits) };
  return {
    era: eraByKey(machine.era),
    geometry: geometryOf(kernel, Number(machine.vaBitsActual)),
    imageSize: Number(machine.imageSize),
    stext: Number(machine.stext),
    etext: Number(machine.etext),
    phys: machine.phys,
    fullRegion: machine.fullRegion,
    kasan: machine.kasan,
  };
}

/** Seeds at random and at the ends of what 64 bits hold. */
export const seeds: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 64n - 1n, 2n ** 63n, 2n ** 21n - 1n, 2n ** 21n),
);
