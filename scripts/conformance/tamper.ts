/**
 * Faults put into a boot on purpose, to show that the harness finds them: a harness that passes everything proves nothing.
 */
import { ERAS, type Era } from '../../lib/kaslr/era.js';
import type { Leaf } from '../../lib/mmu/walker.js';
import type { ModuleRecording } from './module-recording.js';

/** What may be done to what was read of the machine, and to the rules it is compared with. */
export interface Tamper {
  readonly image: (memory: Uint8Array) => void;
  readonly leaves: (leaves: readonly Leaf[]) => readonly Leaf[];
  readonly module: (recording: ModuleRecording) => void;
  /** The policy to predict with. */
  readonly era: (era: Era) => Era;
}

export const UNTOUCHED: Tamper = {
  image: () => {},
  leaves: (leaves) => leaves,
  module: () => {},
  era: (era) => era,
};

/** One bit of a byte in the middle. */
function flipBit(bytes: Uint8Array): void {
  bytes[bytes.length >> 1]! ^= 0x10;
}

const PXN = 1n << 53n;

function flipExecutable(leaf: Leaf): Leaf {
  const attributes = { ...leaf.attributes, executable: !leaf.attributes.executable };
  return { ...leaf, attributes, descriptor: leaf.descriptor ^ PXN };
}

/** One bit each: in the image, in a leaf of each stage, and in the largest section of the first module. */
export function flippedBits(): Tamper {
  let isFirst = true;
  return {
    ...UNTOUCHED,
    image: flipBit,
    leaves: (leaves) => leaves.map((leaf, i) => (i === leaves.length >> 1 ? flipExecutable(leaf) : leaf)),
    module: ({ sections }) => {
      if (!isFirst) return;
      isFirst = false;
      flipBit(sections.reduce((most, section) => (section.bytes.length > most.bytes.length ? section : most)).bytes);
    },
  };
}

/** Predicts by the rules of another time: those of 6.9 for kernels before it, those of 6.0 for the others. */
export const WRONG_POLICY: Tamper = {
  ...UNTOUCHED,
  era: ({ imageRule }) => ERAS.find(({ key }) => key === (imageRule === 'scaled-range' ? '6.0' : '6.9'))!,
};
