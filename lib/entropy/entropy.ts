/**
 * What a kernel's address space leaves to guess: image, modules and linear map, each alone and with a pointer into another
 * one known.
 *
 * Up to 5.x all three come from separate bits of one seed (21 and up, 0-20, 48-63); from 6.0 modules have random numbers of
 * their own, and from 6.9 the image takes all of the seed from the top and the linear map its low 16 bits.
 */
import { PlacementError } from '../errors.js';
import type { EraKey } from '../kaslr/era.js';
import { type Geometry, IMAGE_ALIGN } from '../kaslr/layout.js';
import { baseRule, moduleWindows, type RegionInput } from '../kaslr/module-region.js';
import { type Machine, place } from '../kaslr/place.js';
import { type BaseSpread, evenSpread, scaledHistogram, scaledSpread, spreadHistogram } from './base-spread.js';
import { sumHistogram } from './base-sum.js';
import { countOutcomes, type Histogram, minBits, shannonBits, shannonBitsGivenLowBits } from './histogram.js';
import { type ImageSlots, imageSlots, mostInRun, slotHistogram } from './image-slot.js';
import { linearHistogram } from './linear-map.js';

/** Outcomes, and the bits of entropy in which of them it is. */
export interface Uncertainty {
  readonly slots: number;
  readonly bits: number;
}

/** With the min-entropy: lower than `bits` where outcomes are not equally likely. */
export interface Region extends Uncertainty {
  readonly minBits: number;
}

export interface Entropy {
  readonly era: EraKey;
  readonly geometry: Geometry;
  readonly regions: { readonly kernel: Region; readonly modules: Region; readonly linearMap?: Region };
  /** What is left of the others: the most outcomes that remain, and the bits on average. */
  readonly leak: {
    readonly kernelPointer: { readonly modules: Uncertainty; readonly linearMap?: Uncertainty };
    readonly modulePointer: { readonly kernel: Uncertainty; readonly linearMap?: Uncertainty };
    readonly linearMapPointer?: { readonly kernel: Uncertainty; readonly modules: Uncertainty };
  };
}

const BASE_RANDOM_BITS = 21;

/** Modules: where their base may be, and the same seen from the image if it moves with the image. */
interface Modules {
  readonly absolute: Histogram;
  readonly fromImage?: BaseSpread;
}

/**
 * Counts a kernel's entropy.
 * @param memorySpan bytes that physical memory spans, which the linear map needs; default 0, which makes its part an upper bound
 * @throws PlacementError MISSING_INPUT where a rule needs `_etext`, BAD_LAYOUT if the image leaves no room for modules
 */
export function entropyOf(machine: Machine, memorySpan = 0): Entropy {
  const { era, geometry } = machine;
  // Any seed but 0 will do: the region's place differs, its shape does not.
  const { region } = place(machine, { seed: 1n });
  const slots = imageSlots({ ...region, geometry });
  const image = slotHistogram(slots);
  const modules = modulesOf(region, slots);
  const linear = era.linearMapSeed && linearHistogram({ era, geometry, layout: region.layout, memorySpan });
  const linearLeft = (histogram: Histogram) =>
    linear && {
      linearMap: { ...uncertainty(linear), bits: shannonBits(linear) - sharedWithLinear(histogram, slots, region) },
    };
  return {
    era: era.key,
    geometry,
    regions: {
      kernel: regionOf(image),
      modules: regionOf(modules.absolute),
      ...(linear && { linearMap: regionOf(linear) }),
    },
    leak: {
      kernelPointer: {
        modules: uncertainty(modules.fromImage ? spreadHistogram(modules.fromImage) : modules.absolute),
        ...linearLeft(image),
      },
      modulePointer: { kernel: kernelGivenModules(slots, modules, region), ...linearLeft(modules.absolute) },
      ...(linear && {
        linearMapPointer: {
          kernel: givenLinear(image, slots, region),
          modules: givenLinear(modules.absolute, slots, region),
        },
      }),
    },
  };
}

const uncertainty = (histogram: Histogram): Uncertainty => ({
  slots: Number(countOutcomes(histogram)),
  bits: shannonBits(histogram),
});

const regionOf = (histogram: Histogram): Region => ({ ...uncertainty(histogram), minBits: minBits(histogram) });

function modulesOf(region: RegionInput, slots: ImageSlots): Modules {
  const { era, pageSize, kasan, fullRegion } = region;
  const fromImage = (spread: BaseSpread): Modules => ({
    absolute: sumHistogram(slots, spread, IMAGE_ALIGN / pageSize),
    fromImage: spread,
  });
  if (era.moduleRule === 'boxes') {
    const window = moduleWindows(region)[0];
    if (!window) throw new PlacementError('BAD_LAYOUT', 'an image of 2 GiB or more leaves no room for modules');
    return fromImage(evenSpread((window.highest - window.lowest) / pageSize + 1));
  }
  const { start, range } = baseRule(region);
  if (range < 0) throw new PlacementError('BAD_LAYOUT', 'the image leaves no room for modules');
  const base = { start, range, pageSize, randomBits: BASE_RANDOM_BITS };
  const standsStill = (kasan && era.kasanRule !== 'none') || (fullRegion && era.moduleRule === 'whole-vmalloc');
  return standsStill ? { absolute: scaledHistogram(base) } : fromImage(scaledSpread(base));
}

/** H(kernel | modules) = H(kernel) + H(modules | kernel) - H(modules). */
function kernelGivenModules(
  slots: ImageSlots,
  { absolute, fromImage }: Modules,
  { pageSize }: RegionInput,
): Uncertainty {
  const image = slotHistogram(slots);
  if (!fromImage) return uncertainty(image);
  const bits = shannonBits(image) + shannonBits(spreadHistogram(fromImage)) - shannonBits(absolute);
  return {
    slots: mostInRun(slots, Math.ceil(fromImage.pages.length / (IMAGE_ALIGN / pageSize))),
    // Where nothing is left, a double's last bit may be below it.
    bits: Math.max(bits, 0),
  };
}

/** What is left of the image, or of modules, with all 16 bits known that place the linear map. */
function givenLinear(histogram: Histogram, slots: ImageSlots, { era }: RegionInput): Uncertainty {
  const { slots: outcomes, bits } = uncertainty(histogram);
  // A masked seed has no bit in common with them; a scaled one gives every outcome a run of seeds.
  const left = slots.kind === 'scaled' ? shannonBitsGivenLowBits(histogram, era.linearMapSeed!.length) : bits;
  // What is told is never negative, as a double's last bit may have it.
  return { slots: outcomes, bits: Math.min(left, bits) };
}

/** Bits that the linear map and another region tell of each other. */
function sharedWithLinear(histogram: Histogram, slots: ImageSlots, region: RegionInput): number {
  return shannonBits(histogram) - givenLinear(histogram, slots, region).bits;
}
