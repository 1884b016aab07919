/**
 * The kernel's half of the address space: where modules, vmalloc and the memory map lie (KERNEL: arch/arm64/include/asm/memory.h
 * and pgtable.h of each age). Pure arithmetic on page size and VA bits.
 */
import { type Va, va } from '../address.js';
import { PlacementError } from '../errors.js';
import type { Era } from './era.js';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** MIN_KIMG_ALIGN: what the boot protocol aligns the image to, and the granularity of KASLR. */
export const IMAGE_ALIGN = 2 * MIB;
const STRUCT_PAGE_SIZE = 64;

/** The configuration that shapes the address space; sizes in bytes. */
export interface Geometry {
  readonly pageSize: number;
  /** CONFIG_ARM64_VA_BITS. */
  readonly vaBits: number;
  /** VA_BITS_MIN: what a CPU must offer for the kernel to run. */
  readonly vaBitsMin: number;
  /** vabits_actual: what it runs with on this CPU, VA_BITS or VA_BITS_MIN. */
  readonly vaBitsActual: number;
}

export interface VaLayout {
  readonly modulesVaddr: Va;
  readonly modulesSize: number;
  /** KIMAGE_VADDR: the end of the module region and start of vmalloc. */
  readonly kimageVaddr: Va;
  readonly vmallocEnd: Va;
  readonly vmemmapStart: Va;
  readonly pageOffset: Va;
  readonly pageEnd: Va;
}

/** What each page size offers as CONFIG_ARM64_VA_BITS. */
const VA_BITS: Readonly<Record<number, readonly number[]>> = {
  4096: [39, 48, 52],
  16384: [36, 47, 48, 52],
  65536: [42, 48, 52],
};

/** VA_BITS_MIN of a kernel: VA_BITS itself up to 48, else what every CPU has. */
export function vaBitsMinOf(pageSize: number, vaBits: number): number {
  if (vaBits <= 48) return vaBits;
  return pageSize === 16384 ? 47 : 48;
}

/**
 * The geometry of a kernel on a CPU.
 * @param cpuVaBits what the CPU offers; absent: no more than VA_BITS_MIN
 * @throws PlacementError BAD_LAYOUT for a combination that no kernel can be configured to, or a CPU with too few bits
 */
export function geometryOf(kernel: { pageSize: number; vaBits: number }, cpuVaBits?: number): Geometry {
  const { pageSize, vaBits } = kernel;
  const offered = VA_BITS[pageSize];
  if (!offered) throw new PlacementError('BAD_LAYOUT', `page size ${pageSize} is not 4096, 16384 or 65536`);
  if (!offered.includes(vaBits)) {
    throw new PlacementError(
      'BAD_LAYOUT',
      `${pageSize / KIB}K pages go with ${offered.join(', ')} VA bits, not ${vaBits}`,
    );
  }
  const vaBitsMin = vaBitsMinOf(pageSize, vaBits);
  if (cpuVaBits !== undefined && cpuVaBits < vaBitsMin) {
    throw new PlacementError('BAD_LAYOUT', `the kernel needs ${vaBitsMin} VA bits, the CPU offers ${cpuVaBits}`);
  }
  return { pageSize, vaBits, vaBitsMin, vaBitsActual: (cpuVaBits ?? vaBitsMin) >= vaBits ? vaBits : vaBitsMin };
}

/** PUD_SIZE: what an entry of level 1 maps, or of level 2 where two levels of tables leave no other (64K/42, 16K/36). */
function pudSize({ pageSize, vaBits }: Geometry): number {
  const pageShift = Math.log2(pageSize);
  // ARM64_HW_PGTABLE_LEVELS, an integer division.
  const levels = Math.floor((vaBits - 4) / (pageShift - 3));
  const level = levels >= 3 ? 1 : 2;
  return 2 ** ((pageShift - 3) * (4 - level) + 3);
}

const pageOffsetOf = (vaBits: number): number => -(2 ** vaBits);
const pageEndOf = (vaBits: number): number => -(2 ** (vaBits - 1));

type LayoutRule = (geometry: Geometry) => VaLayout;

/** From 5.4 the linear map is the lower half; modules follow it, then the image and vmalloc. */
function flipped(
  geometry: Geometry,
  modules: { readonly gap: number; readonly size: number },
  top: { readonly vmemmapStart: number; readonly vmallocEnd: number },
): VaLayout {
  const modulesVaddr = pageEndOf(geometry.vaBitsMin) + modules.gap;
  return {
    modulesVaddr: va(modulesVaddr),
    modulesSize: modules.size,
    kimageVaddr: va(modulesVaddr + modules.size),
    vmallocEnd: va(top.vmallocEnd),
    vmemmapStart: va(top.vmemmapStart),
    pageOffset: va(pageOffsetOf(geometry.vaBitsActual)),
    pageEnd: va(pageEndOf(geometry.vaBitsMin)),
  };
}

/** struct pages for all the linear map that VA_BITS could need, in bytes. */
function vmemmapSize({ pageSize, vaBits, vaBitsMin }: Geometry): number {
  return ((pageEndOf(vaBitsMin) - pageOffsetOf(vaBits)) / pageSize) * STRUCT_PAGE_SIZE;
}

function fixedVmemmap({ pageSize, vaBits }: Geometry): { vmemmapStart: number; vmallocEnd: number } {
  const vmemmapStart = -((2 ** vaBits / pageSize) * STRUCT_PAGE_SIZE);
  return { vmemmapStart, vmallocEnd: vmemmapStart - 256 * MIB };
}

const LAYOUTS: Readonly<Record<Era['layoutRule'], LayoutRule>> = {
  'low-half': (geometry) => {
    const start = -(2 ** geometry.vaBits);
    const pageOffset = -(2 ** (geometry.vaBits - 1));
    const vmemmapStart = pageOffset - (2 ** (geometry.vaBits - 1) / geometry.pageSize) * STRUCT_PAGE_SIZE;
    return {
      modulesVaddr: va(start),
      modulesSize: 128 * MIB,
      kimageVaddr: va(start + 128 * MIB),
      vmallocEnd: va(vmemmapStart - pudSize(geometry) - 64 * KIB),
      vmemmapStart: va(vmemmapStart),
      pageOffset: va(pageOffset),
      pageEnd: va(0),
    };
  },
  flipped: (geometry) => {
    const size = vmemmapSize(geometry);
    // The 128 MiB below the modules were the BPF JIT's until 5.17.
    return flipped(
      geometry,
      { gap: 128 * MIB, size: 128 * MIB },
      { vmemmapStart: -size - 2 * MIB, vmallocEnd: -pudSize(geometry) - size - 64 * KIB },
    );
  },
  'modules-first': (geometry) => flipped(geometry, { gap: 0, size: 128 * MIB }, fixedVmemmap(geometry)),
  'wide-modules': (geometry) => flipped(geometry, { gap: 0, size: 2 * GIB }, fixedVmemmap(geometry)),
  'actual-vmemmap': (geometry) => {
    const { pageSize, vaBits, vaBitsActual } = geometry;
    const vmemmapStart = -GIB - vmemmapSize(geometry);
    const unused = ((pageOffsetOf(vaBitsActual) - pageOffsetOf(vaBits)) / pageSize) * STRUCT_PAGE_SIZE;
    return flipped(geometry, { gap: 0, size: 2 * GIB }, { vmemmapStart, vmallocEnd: vmemmapStart + unused - 8 * MIB });
  },
};

/** The address space of an era; `kimageVaddr` is where a kernel without KASAN and without TEXT_OFFSET is linked. */
export function vaLayout(era: Era, geometry: Geometry): VaLayout {
  return LAYOUTS[era.layoutRule](geometry);
}
