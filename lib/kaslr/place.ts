/**
 * Where a seed puts the image and lets modules go: the one call that joins eras, layout and rules.
 */
import { formatVa, type Va, va } from '../address.js';
import { AddressError, PlacementError } from '../errors.js';
import { eraRelease } from '../release.js';
import type { Era, EraKey } from './era.js';
import { type ImageArea, imageArea } from './image-area.js';
import { crossesBoundary, imageOffset } from './image-offset.js';
import { type Geometry, IMAGE_ALIGN, type VaLayout, vaLayout } from './layout.js';
import {
  baseAt,
  baseRule,
  DIRECT_SIZE,
  type ModuleWindow,
  moduleWindows,
  needsEtext,
  type RegionInput,
} from './module-region.js';

/** Where `_stext` lies when no kernel file says: one 64 KiB segment above `_text`, as since 4.8. */
const USUAL_STEXT = 0x10000;

/** The kernel and machine; addresses and sizes in bytes. */
export interface Machine {
  readonly era: Era;
  /** As `uname -r` prints it; default: the era's long-term kernel. */
  readonly release?: string | undefined;
  readonly geometry: Geometry;
  /** `_end - _text`. */
  readonly imageSize: number;
  /** Link address of `_text`; default: KIMAGE_VADDR of the era. */
  readonly linkBase?: Va | undefined;
  /** Where `_stext` and `_etext` lie from `_text`; default: 64 KiB, and none. */
  readonly stext?: number | undefined;
  readonly etext?: number | undefined;
  /** Physical address of `_text`; default: as the boot protocol asks, no displacement. */
  readonly phys?: bigint | undefined;
  /** CONFIG_RANDOMIZE_MODULE_REGION_FULL; default true, as distributions set it. */
  readonly fullRegion?: boolean | undefined;
  /** CONFIG_KASAN; default false. */
  readonly kasan?: boolean | undefined;
}

/** The 64-bit seed, or the run address of `_text` in its stead. */
export type Chosen = { readonly seed: bigint } | { readonly text: Va };

export interface Placement {
  readonly era: EraKey;
  readonly seed?: bigint;
  /** Run address minus link address of `_text`. */
  readonly offset: number;
  readonly text: Va;
  /** Run address of `_end`. */
  readonly end: Va;
  /** What the image takes of vmalloc: no module goes there. */
  readonly area: ImageArea;
  /** Whether the image straddles a 1 GiB / 32 MiB / 512 MiB boundary (4K / 16K / 64K pages). */
  readonly crossesBoundary: boolean;
  /** The first region modules go to, where all it follows from is known; else the windows it lies in. */
  readonly modules: { readonly base: Va; readonly end: Va } | { readonly windows: readonly ModuleWindow[] };
  /** What `modules` was derived from, for whoever draws a region. */
  readonly region: RegionInput;
}

/** The layout with KIMAGE_VADDR as the kernel was linked: KASAN and the BPF JIT region of some versions move it. */
function layoutOf(machine: Machine): { layout: VaLayout; linkBase: Va } {
  const usual = vaLayout(machine.era, machine.geometry);
  const linkBase = machine.linkBase ?? usual.kimageVaddr;
  const kimageVaddr = va(Math.floor(linkBase / IMAGE_ALIGN) * IMAGE_ALIGN);
  return { linkBase, layout: { ...usual, kimageVaddr, modulesVaddr: va(kimageVaddr - usual.modulesSize) } };
}

/** `_text`'s physical address minus its link address, modulo 2 MiB. */
function displacementOf({ phys }: Machine, linkBase: Va): number {
  return phys === undefined ? 0 : Number(BigInt.asUintN(21, phys - BigInt(linkBase)));
}

/**
 * Places the image.
 * Does not check that `text` is one of the era's slots: a crash log is right by definition; `requireRunnable` does what can be.
 * @throws PlacementError BAD_SEED if the seed is not a 64-bit number; AddressError ADDRESS_RANGE if the image leaves the address space
 */
export function place(machine: Machine, chosen: Chosen): Placement {
  const { era, geometry, imageSize } = machine;
  const { layout, linkBase } = layoutOf(machine);
  const displacement = displacementOf(machine, linkBase);
  const kasan = machine.kasan ?? false;
  const seed = 'seed' in chosen ? chosen.seed : undefined;
  if (seed !== undefined && BigInt.asUintN(64, seed) !== seed) {
    throw new PlacementError('BAD_SEED', `seed ${seed} is not a 64-bit number`);
  }
  const offset =
    'seed' in chosen
      ? imageOffset(chosen.seed, { era, geometry, layout, linkBase, imageSize, displacement, kasan })
      : chosen.text - linkBase;
  const text = va(linkBase + offset);
  const end = va(text + imageSize);
  const { pageSize } = geometry;
  const stext = machine.stext ?? USUAL_STEXT;
  const region: RegionInput = {
    era,
    layout,
    pageSize,
    linkBase,
    offset,
    displacement,
    // Without randomisation the image is off its link address by the physical displacement alone, below 2 MiB.
    kaslr: seed !== undefined ? seed !== 0n : offset >= IMAGE_ALIGN,
    imageSize,
    stext,
    etext: machine.etext,
    fullRegion: machine.fullRegion ?? true,
    kasan,
  };
  return {
    era: era.key,
    ...(seed !== undefined && { seed }),
    offset,
    text,
    end,
    area: imageArea(machine.release ?? eraRelease(era.key), { text, stext: va(text + stext), end, pageSize }),
    crossesBoundary: crossesBoundary({ start: text, end }, pageSize),
    modules: modulesOf(region, seed),
    region,
  };
}

/**
 * Refuses what no seed and no boot loader leads to, whatever the kernel.
 * @throws PlacementError BAD_LAYOUT if `_text` does not begin a page; AddressError ADDRESS_RANGE if the image is not in the kernel's
 *   half of the address space
 */
export function requireRunnable({ text, end }: Placement, { pageSize, vaBitsActual }: Geometry): void {
  if (text % pageSize !== 0) {
    throw new PlacementError('BAD_LAYOUT', `_text at ${formatVa(text)} does not begin a page: no kernel runs there`);
  }
  if (text < -(2 ** vaBitsActual) || text >= 0 || end > 0) {
    const half = `${formatVa(va(-(2 ** vaBitsActual)))}-${formatVa(va(-1))}`;
    throw new AddressError('ADDRESS_RANGE', `an image at ${formatVa(text)} does not lie in the kernel's half, ${half}`);
  }
}

function modulesOf(region: RegionInput, seed: bigint | undefined): Placement['modules'] {
  const isChosen = !region.kaslr || (seed !== undefined && region.era.moduleSeed === 'image');
  const isKnown = region.etext !== undefined || !needsEtext(region);
  if (region.era.moduleRule === 'boxes' || !isChosen || !isKnown) return { windows: moduleWindows(region) };
  const base = baseAt(baseRule(region), seed ?? 0n, region.pageSize);
  return { base, end: va(base + DIRECT_SIZE) };
}
