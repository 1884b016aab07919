/**
 * Placement a second time: in bigint, era by era, transcribed from how arm64 Linux computes it (kernel/kaslr.c up to 5.x,
 * kernel/pi/kaslr_early.c from 6.0, mm/init.c from 6.5, and memory.h and pgtable.h of each age) without a look at lib/kaslr.
 * Where it and lib/kaslr differ, lib/kaslr is wrong.
 */

const K = 1n << 10n;
const M = 1n << 20n;
const G = 1n << 30n;

export type ReferenceEra = '4.6' | '4.12' | '4.17' | '5.4' | '6.0' | '6.5' | '6.9' | '6.16';

export interface ReferenceMachine {
  readonly era: ReferenceEra;
  readonly pageSize: bigint;
  readonly vaBits: bigint;
  /** vabits_actual. */
  readonly vaBitsActual: bigint;
  /** `_end - _text`, and the distances of `_stext` and `_etext`. */
  readonly imageSize: bigint;
  readonly stext: bigint;
  readonly etext: bigint;
  /** Physical address of `_text`. */
  readonly phys: bigint;
  readonly fullRegion: boolean;
  readonly kasan: boolean;
}

interface ReferenceLayout {
  readonly modulesVaddr: bigint;
  readonly kimageVaddr: bigint;
  readonly vmallocEnd: bigint;
}

const vaBitsMin = ({ pageSize, vaBits }: ReferenceMachine): bigint =>
  vaBits <= 48n ? vaBits : pageSize === 16n * K ? 47n : 48n;

/** PUD_SIZE by page size and VA bits: level 1, or level 2 where there are but two levels. */
const PUD_SIZE: Readonly<Record<string, bigint>> = {
  '4096/39': G,
  '4096/48': G,
  '4096/52': G,
  '16384/36': 32n * M,
  '16384/47': 64n * G,
  '16384/48': 64n * G,
  '16384/52': 64n * G,
  '65536/42': 512n * M,
  '65536/48': 4096n * G,
  '65536/52': 4096n * G,
};

/** Addresses as negative numbers: below the top of the 64-bit space. */
export function referenceLayout(machine: ReferenceMachine): ReferenceLayout {
  const { era, pageSize, vaBits, vaBitsActual } = machine;
  const vmin = vaBitsMin(machine);
  const pud = PUD_SIZE[`${pageSize}/${vaBits}`]!;
  const pageEnd = (n: bigint): bigint => -(1n << (n - 1n));
  const pageOffset = (n: bigint): bigint => -(1n << n);
  const vmemmapSize = ((pageEnd(vmin) - pageOffset(vaBits)) / pageSize) * 64n;
  switch (era) {
    case '4.6':
    case '4.12':
    case '4.17': {
      const modulesVaddr = -(1n << vaBits);
      const oldPageOffset = -(1n << (vaBits - 1n));
      const size = ((1n << (vaBits - 1n)) / pageSize) * 64n;
      return { modulesVaddr, kimageVaddr: modulesVaddr + 128n * M, vmallocEnd: oldPageOffset - pud - size - 64n * K };
    }
    case '5.4': {
      const modulesVaddr = pageEnd(vmin) + 128n * M;
      return { modulesVaddr, kimageVaddr: modulesVaddr + 128n * M, vmallocEnd: -pud - vmemmapSize - 64n * K };
    }
    case '6.0':
    case '6.5': {
      const modulesVaddr = pageEnd(vmin);
      const vmemmapStart = -((1n << vaBits) / pageSize) * 64n;
      const modulesSize = era === '6.0' ? 128n * M : 2n * G;
      return { modulesVaddr, kimageVaddr: modulesVaddr + modulesSize, vmallocEnd: vmemmapStart - 256n * M };
    }
    case '6.9':
    case '6.16': {
      const modulesVaddr = pageEnd(vmin);
      const vmemmapStart = -G - vmemmapSize;
      const spare = vaBits > vmin ? ((pageOffset(vaBitsActual) - pageOffset(vaBits)) / pageSize) * 64n : 0n;
      return { modulesVaddr, kimageVaddr: modulesVaddr + 2n * G, vmallocEnd: vmemmapStart + spare - 8n * M };
    }
  }
}

/** SWAPPER_TABLE_SHIFT and SWAPPER_BLOCK_SIZE. */
const swapperShift = (pageSize: bigint): bigint => (pageSize === 4n * K ? 30n : pageSize === 16n * K ? 25n : 29n);
const swapperBlock = (pageSize: bigint): bigint => (pageSize === 4n * K ? 2n * M : pageSize);

/** `_text`'s run address minus its link address, which is KIMAGE_VADDR. */
export function referenceOffset(machine: ReferenceMachine, seed: bigint): bigint {
  const { era, pageSize, vaBits, imageSize, kasan } = machine;
  const modulo = machine.phys % (2n * M);
  if (seed === 0n) return modulo;
  const { kimageVaddr, vmallocEnd } = referenceLayout(machine);
  const vmin = vaBitsMin(machine);
  const mask = (bits: bigint): bigint => ((1n << (bits - 2n)) - 1n) & ~(2n * M - 1n);
  const crosses = (offset: bigint): boolean => {
    const text = kimageVaddr + offset + modulo;
    return text >> swapperShift(pageSize) !== (text + imageSize) >> swapperShift(pageSize);
  };
  switch (era) {
    case '4.6': {
      let offset = seed & mask(vaBits);
      const block = swapperBlock(pageSize);
      if (crosses(offset)) offset = (offset + ((imageSize + block - 1n) / block) * block) & mask(vaBits);
      return offset + modulo;
    }
    case '4.12': {
      let offset = seed & mask(vaBits);
      if (crosses(offset)) offset = (offset >> swapperShift(pageSize)) << swapperShift(pageSize);
      return offset + modulo;
    }
    case '4.17':
    case '5.4': {
      const offset = (1n << (vmin - 3n)) + (seed & mask(vmin));
      return (kasan ? offset % (2n * G) : offset) + modulo;
    }
    case '6.0':
    case '6.5': {
      const offset = (1n << (vmin - 3n)) + (seed & ((1n << (vmin - 2n)) - 1n));
      return (offset & ~(2n * M - 1n)) | modulo;
    }
    case '6.9':
    case '6.16': {
      const range = (vmallocEnd - kimageVaddr) / 2n;
      const offset = range / 2n + ((range * seed) >> 64n);
      return (offset & ~(2n * M - 1n)) | modulo;
    }
  }
}

/** Base of the 128 MiB where modules go, up to 6.4; `random` is the value whose low 21 bits are used. */
export function referenceModuleBase(machine: ReferenceMachine, seed: bigint, random: bigint): bigint {
  const { era, imageSize, stext, etext, pageSize, fullRegion, kasan } = machine;
  const { modulesVaddr, kimageVaddr, vmallocEnd } = referenceLayout(machine);
  const offset = referenceOffset(machine, seed);
  const text = kimageVaddr + offset;
  const modulo = machine.phys % (2n * M);
  const isOld = era === '4.6' || era === '4.12';
  const toPage = (address: bigint): bigint =>
    (address / pageSize) * pageSize - (address % pageSize < 0n ? pageSize : 0n);
  if (seed === 0n) return toPage(text + etext - 128n * M);
  // Left as it was set before the image moved.
  if (kasan && era !== '6.0') return toPage(kimageVaddr + modulo + etext - 128n * M);
  let base: bigint;
  let range: bigint;
  if (!fullRegion) {
    base = text + etext - 128n * M;
    range = 128n * M - (etext - stext);
  } else if (isOld) {
    base = kimageVaddr;
    range = vmallocEnd - kimageVaddr - 128n * M;
  } else {
    const window = era === '4.17' ? 4n * G : 2n * G;
    const lowest = text + imageSize - window;
    base = lowest > modulesVaddr ? lowest : modulesVaddr;
    range = window - (imageSize - stext);
  }
  return toPage(base + ((range * (random & 0x1fffffn)) >> 21n));
}

/** Lowest and highest bases of the boxes of 6.5 and later, direct branches first. */
export function referenceBoxes(
  machine: ReferenceMachine,
  seed: bigint,
): { kind: string; lowest: bigint; highest: bigint }[] {
  const { imageSize, pageSize, fullRegion } = machine;
  const start = referenceLayout(machine).kimageVaddr + referenceOffset(machine, seed);
  const end = start + imageSize;
  if (seed < 1n) {
    const boxes = [];
    if (imageSize < 128n * M) boxes.push({ kind: 'direct', lowest: end - 128n * M, highest: end - 128n * M });
    if (imageSize < 2n * G) boxes.push({ kind: 'plt', lowest: end - 2n * G, highest: end - 2n * G });
    return boxes;
  }
  /** random_bounding_box() with the largest page offset and with none. */
  const around = (size: bigint, from: bigint, to: bigint) => from - ((size - (to - from)) / pageSize) * pageSize;
  if (fullRegion || imageSize >= 128n * M) return [{ kind: 'plt', lowest: around(2n * G, start, end), highest: start }];
  const lowestDirect = around(128n * M, start, end);
  return [
    { kind: 'direct', lowest: lowestDirect, highest: start },
    { kind: 'plt', lowest: around(2n * G, lowestDirect, lowestDirect + 128n * M), highest: start },
  ];
}
