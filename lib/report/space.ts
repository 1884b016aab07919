/** The regions of the kernel's half of the address space, as a placement found them. */
import { formatVa, va } from '../address.js';
import type { Geometry } from '../kaslr/layout.js';
import type { RegionInput } from '../kaslr/module-region.js';
import type { SpaceRegion } from './report-data.js';

/** Bytes of a struct page. */
const STRUCT_PAGE_SIZE = 64;

/** Ascending; the fixmap, PCI I/O space and the gaps between regions are not among them. */
export function spaceRegions({ layout }: RegionInput, { pageSize, vaBits, vaBitsMin }: Geometry): SpaceRegion[] {
  const { modulesVaddr, kimageVaddr, vmallocEnd, vmemmapStart, pageOffset, pageEnd } = layout;
  // Sized for VA_BITS; on a CPU with fewer only the upper part is used, and vmalloc ends where that begins.
  const vmemmapEnd = vmemmapStart + ((2 ** vaBits - 2 ** (vaBitsMin - 1)) / pageSize) * STRUCT_PAGE_SIZE;
  const vmemmapUsed = vmemmapEnd - ((pageEnd - pageOffset) / pageSize) * STRUCT_PAGE_SIZE;
  const rows: readonly (readonly [SpaceRegion['name'], number, number])[] = [
    ['linear map', pageOffset, pageEnd],
    ['modules', modulesVaddr, kimageVaddr],
    ['vmalloc', kimageVaddr, vmallocEnd],
    ['vmemmap', vmemmapUsed, vmemmapEnd],
  ];
  return rows
    .toSorted(([, a], [, b]) => a - b)
    .map(([name, start, end]) => ({
      name,
      start: formatVa(va(start)),
      end: end === 0 ? TOP : formatVa(va(end)),
    }));
}

/** The end of the last region where that is 2^64, which no address is: its last byte. */
const TOP = '0xffffffffffffffff';
