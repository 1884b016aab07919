/**
 * From the run address of `_text` to what it says about the boot: offset, VA bits of the CPU, and the seeds that lead there.
 * The reverse of kaslr/place.ts.
 */
import { formatU64, type Va } from '../address.js';
import type { EraKey } from '../kaslr/era.js';
import type { OffsetInput } from '../kaslr/image-offset.js';
import { type Geometry, IMAGE_ALIGN } from '../kaslr/layout.js';
import { type Machine, place } from '../kaslr/place.js';
import { offsetRange, type SeedSet, seedsOf } from './seed-set.js';

/** The least alignment of an image that any boot loader may choose. */
const LOAD_ALIGN = 4096;

/** A CPU the kernel may have run on, and the seeds that lead to the place there. */
export interface Fit {
  readonly geometry: Geometry;
  readonly seeds: SeedSet;
}

export interface Location {
  readonly text: Va;
  /** Run address minus link address. */
  readonly offset: number;
  readonly era: EraKey;
  /** CONFIG_ARM64_VA_BITS of the first geometry that fits, or of the first one tried. */
  readonly vaBits: number;
  /** Whether the image left its link address by more than the physical displacement. */
  readonly kaslr: boolean;
  /** What explains the place, of the geometries tried: none where no seed does, or KASLR was off. */
  readonly fits: readonly Fit[];
  /** What contradicts the era's rules; empty if nothing does. */
  readonly contradictions: readonly string[];
}

/**
 * Explains a run address of `_text`.
 * @param machine the kernel; its `phys`, if given, is checked against the address and otherwise taken from it
 * @param geometries the kernel on the CPUs it may have run on, likeliest first; default: the machine's own
 * @throws PlacementError BAD_LAYOUT
 */
export function locate(machine: Machine, text: Va, geometries: readonly Geometry[] = [machine.geometry]): Location {
  const tried = geometries.map((geometry) => ({ geometry, input: offsetInput({ ...machine, geometry }, text) }));
  const { linkBase } = tried[0]!.input;
  const offset = text - linkBase;
  const kaslr = offset < 0 || offset >= IMAGE_ALIGN;
  const misplaced = contradictionsOf(machine, text);
  const fits =
    kaslr && misplaced.length === 0
      ? tried.flatMap(({ geometry, input }) => {
          const seeds = seedsOf(offset, input);
          return seeds ? [{ geometry, seeds }] : [];
        })
      : [];
  const isOutside = kaslr && misplaced.length === 0 && fits.length === 0;
  return {
    text,
    offset,
    era: machine.era.key,
    vaBits: (fits[0] ?? tried[0]!).geometry.vaBits,
    kaslr,
    fits,
    contradictions: isOutside ? tried.map(({ input }) => noSeed(offset, input)) : misplaced,
  };
}

/** What `imageOffset` takes. The displacement is read off the address: physical and virtual address agree modulo 2 MiB. */
function offsetInput(machine: Machine, text: Va): OffsetInput {
  const { region } = place({ ...machine, phys: BigInt(text) }, { text });
  return {
    era: machine.era,
    geometry: machine.geometry,
    layout: region.layout,
    linkBase: region.linkBase,
    imageSize: machine.imageSize,
    displacement: region.displacement,
    kasan: region.kasan,
  };
}

function contradictionsOf({ phys }: Machine, text: Va): string[] {
  const found: string[] = [];
  if (text % LOAD_ALIGN !== 0) found.push(`_text at ${formatU64(BigInt(text))} is not page aligned`);
  if (phys !== undefined && BigInt.asUintN(21, phys) !== BigInt.asUintN(21, BigInt(text))) {
    found.push(
      `the load address ${formatU64(phys)} and _text ${formatU64(BigInt(text))} differ in their low 21 bits, which no kernel's do`,
    );
  }
  return found;
}

function noSeed(offset: number, input: OffsetInput): string {
  const { geometry, era, displacement } = input;
  const { start, end } = offsetRange(input);
  const on = `era ${era.key}, ${geometry.vaBits} VA bits, a CPU with ${geometry.vaBitsActual}`;
  const chosen = offset - displacement;
  const hex = (x: number): string => `${x < 0 ? '-' : ''}0x${Math.abs(x).toString(16)}`;
  return chosen < start || chosen >= end
    ? `offset ${hex(offset)} lies outside [${hex(start)}, ${hex(end)}) of ${on}`
    : `no seed leads to offset ${hex(offset)} (${on}): the image is moved off the boundary it would straddle`;
}
