/**
 * Where modules may go: Linux arch/arm64/kernel/kaslr.c up to 6.4 (one base, 128 MiB, with a 2 GiB fallback),
 * module.c and mm/init.c from 6.5 (a direct box within branch range, inside a PLT box).
 */
import { type Va, va } from '../address.js';
import { alignDown } from '../bits.js';
import { PlacementError } from '../errors.js';
import type { Era } from './era.js';
import type { VaLayout } from './layout.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** What relative branches reach: the size of a region where no PLT entry is needed. */
export const DIRECT_SIZE = 128 * MIB;
/** What ADRP and PREL32 reach: the size of the region that PLT entries make usable. */
export const PLT_SIZE = 2 * GIB;
/** Up to 6.4 the random base is `range * 21 bits >> 21`. */
const BASE_BITS = 21;

/** A region of `size` bytes whose base lies in `[lowest, highest]`, both page aligned. */
export interface ModuleWindow {
  readonly kind: 'direct' | 'plt';
  readonly size: number;
  readonly lowest: Va;
  readonly highest: Va;
}

/** The image as placed, and what else the module region follows from. */
export interface RegionInput {
  readonly era: Era;
  readonly layout: VaLayout;
  readonly pageSize: number;
  /** Link address of `_text`, and its offset (0: KASLR is off; the displacement alone does not count). */
  readonly linkBase: Va;
  readonly offset: number;
  readonly displacement: number;
  readonly kaslr: boolean;
  readonly imageSize: number;
  /** Distances of `_stext` and `_etext` from `_text`; `_etext` is needed where a region is tied to the end of the text. */
  readonly stext: number;
  readonly etext?: number | undefined;
  /** CONFIG_RANDOMIZE_MODULE_REGION_FULL. */
  readonly fullRegion: boolean;
  readonly kasan: boolean;
}

/** The rule `base = (start + (range * r >> 21)) & PAGE_MASK` for r in [0, 2^21). */
export interface BaseRule {
  readonly start: number;
  readonly range: number;
  readonly kind: 'direct' | 'plt';
}

function etextOf({ era, etext }: RegionInput): number {
  if (etext === undefined) {
    throw new PlacementError(
      'MISSING_INPUT',
      `the module region of era ${era.key} is tied to _etext: give a kernel file`,
    );
  }
  return etext;
}

/** Whether the region hangs on the end of the text, as all of the eras up to 6.4 do that stay within branch range. */
export function needsEtext({ era, kaslr, fullRegion, kasan }: RegionInput): boolean {
  return era.moduleRule !== 'boxes' && (!kaslr || !fullRegion || (kasan && era.kasanRule !== 'none'));
}

/** The rule of the eras up to 6.4. @throws PlacementError MISSING_INPUT without `_etext` where it is needed */
export function baseRule(input: RegionInput): BaseRule {
  const { era, layout, linkBase, offset, displacement, imageSize, stext } = input;
  const text = linkBase + offset;
  if (!input.kaslr) return { start: text + etextOf(input) - DIRECT_SIZE, range: 0, kind: 'direct' };
  if (input.kasan && era.kasanRule !== 'none') {
    // Set before the image moved, from link addresses, and left so.
    return { start: linkBase + displacement + etextOf(input) - DIRECT_SIZE, range: 0, kind: 'plt' };
  }
  if (!input.fullRegion) {
    const etext = etextOf(input);
    return { start: text + etext - DIRECT_SIZE, range: DIRECT_SIZE - (etext - stext), kind: 'direct' };
  }
  if (era.moduleRule === 'whole-vmalloc') {
    return {
      start: layout.kimageVaddr,
      range: layout.vmallocEnd - layout.kimageVaddr - layout.modulesSize,
      kind: 'plt',
    };
  }
  return {
    start: Math.max(text + imageSize - era.moduleWindow, layout.modulesVaddr),
    range: era.moduleWindow - (imageSize - stext),
    kind: 'plt',
  };
}

/** The base that 21 random bits choose. */
export function baseAt(rule: BaseRule, random: bigint, pageSize: number): Va {
  const scaled = (BigInt(rule.range) * BigInt.asUintN(BASE_BITS, random)) >> BigInt(BASE_BITS);
  return va(alignDown(rule.start + Number(scaled), pageSize));
}

function box(
  around: { readonly start: number; readonly end: number },
  size: number,
): { lowest: number; highest: number } | undefined {
  if (around.end - around.start >= size) return undefined;
  return { lowest: around.start - (size - (around.end - around.start)), highest: around.start };
}

/** The boxes of 6.5 and later, outermost last; empty where the image itself is larger than a box. */
function boxes(input: RegionInput): ModuleWindow[] {
  const { linkBase, offset, imageSize, pageSize } = input;
  const start = linkBase + offset;
  const end = start + imageSize;
  const windows: ModuleWindow[] = [];
  const add = (kind: 'direct' | 'plt', size: number, range: { lowest: number; highest: number } | undefined) => {
    if (range)
      windows.push({
        kind,
        size,
        lowest: va(range.highest - alignDown(range.highest - range.lowest, pageSize)),
        highest: va(range.highest),
      });
  };
  if (!input.kaslr) {
    for (const [kind, size] of [
      ['direct', DIRECT_SIZE],
      ['plt', PLT_SIZE],
    ] as const) {
      if (imageSize < size) add(kind, size, { lowest: end - size, highest: end - size });
    }
    return windows;
  }
  if (!input.fullRegion) add('direct', DIRECT_SIZE, box({ start, end }, DIRECT_SIZE));
  const direct = windows[0];
  if (!direct) add('plt', PLT_SIZE, box({ start, end }, PLT_SIZE));
  else
    windows.push({
      kind: 'plt',
      size: PLT_SIZE,
      lowest: va(direct.lowest - (PLT_SIZE - DIRECT_SIZE)),
      highest: direct.highest,
    });
  return windows;
}

/**
 * Every window of an era in the order the allocator tries them. Where `_etext` decides and is not known, the window is as
 * wide as its lying anywhere from `_stext` to `_end` allows.
 */
export function moduleWindows(input: RegionInput): ModuleWindow[] {
  if (input.era.moduleRule === 'boxes') return boxes(input);
  const { etext, stext, imageSize, pageSize } = input;
  const isOpen = etext === undefined && needsEtext(input);
  const rules = isOpen ? [stext, imageSize].map((end) => baseRule({ ...input, etext: end })) : [baseRule(input)];
  const lastRandom = (1n << BigInt(BASE_BITS)) - 1n;
  const bases = rules.flatMap((rule) => [baseAt(rule, 0n, pageSize), baseAt(rule, lastRandom, pageSize)]);
  return [{ kind: rules[0]!.kind, size: DIRECT_SIZE, lowest: va(Math.min(...bases)), highest: va(Math.max(...bases)) }];
}

/** One region the allocator tries: `[base, end)`. */
export interface ModuleRegion {
  readonly kind: 'direct' | 'plt';
  readonly base: Va;
  readonly end: Va;
}

const region = (kind: 'direct' | 'plt', base: number, size: number): ModuleRegion => ({
  kind,
  base: va(base),
  end: va(base + size),
});

/**
 * The regions that a random value chooses, in the order the allocator tries them.
 * Up to 6.4 its low 21 bits choose the base of 128 MiB, and 2 GiB from the same base follow when those are full.
 * From 6.5 it is read in mixed radix: first the direct box's page offset below the image, then the PLT box's
 * below the direct one, so that every pair of boxes has a value.
 */
export function chooseRegions(input: RegionInput, random: bigint): ModuleRegion[] {
  const { pageSize } = input;
  if (input.era.moduleRule !== 'boxes') {
    const rule = baseRule(input);
    const base = baseAt(rule, random, pageSize);
    return [region(rule.kind, base, DIRECT_SIZE), region('plt', base, PLT_SIZE)];
  }
  let rest = random;
  let outer: number | undefined;
  return boxes(input).map(({ kind, size, lowest, highest }) => {
    // A PLT box nests around the direct box that was drawn: its own freedom is the difference of their sizes.
    const nested = outer !== undefined && input.kaslr;
    const top = nested ? outer! : highest;
    const pages = BigInt((nested ? PLT_SIZE - DIRECT_SIZE : highest - lowest) / pageSize) + 1n;
    const base = top - Number(rest % pages) * pageSize;
    rest /= pages;
    outer = base;
    return region(kind, base, size);
  });
}
