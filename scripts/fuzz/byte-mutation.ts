/**
 * Changes to bytes that need not know what they mean: single bits, numbers at the edge of what fits, blocks copied, cut
 * out or put in, and an end too early.
 */
import type { Random } from './random.js';

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Values at which a size, an offset or a count overflows something. */
const EDGES: readonly bigint[] = [
  0n,
  ...[7n, 8n, 15n, 16n, 31n, 32n, 52n, 53n, 63n, 64n].flatMap((bit) => [(1n << bit) - 1n, 1n << bit, (1n << bit) + 1n]),
];

/** A number for a field: an edge, a little more or less than now, about the size of the file, or anything. */
export function unlikelyValue(now: bigint, fileSize: number, random: Random): bigint {
  const near = BigInt(random.below(33) - 16);
  switch (random.below(4)) {
    case 0:
      return random.pick(EDGES);
    case 1:
      return now + near;
    case 2:
      return BigInt(random.below(fileSize + 1)) + near;
    default:
      return random.bits64();
  }
}

/** Replaces `size` little-endian bytes at `at`, as far as the file goes. */
export function writeField(bytes: Uint8Array, field: { at: number; size: number }, value: bigint): void {
  for (let i = 0; i < field.size && field.at + i < bytes.length; i++) {
    bytes[field.at + i] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)));
  }
}

export function readField(bytes: Uint8Array, field: { at: number; size: number }): bigint {
  let value = 0n;
  for (let i = field.size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[field.at + i] ?? 0);
  return value;
}

/** Sets a field to an unlikely value. */
export function spoilField(bytes: Uint8Array, field: { at: number; size: number }, random: Random): void {
  writeField(bytes, field, unlikelyValue(readField(bytes, field), bytes.length, random));
}

const flipBit: Change = (bytes, random) => {
  const at = random.below(bytes.length);
  bytes[at] = bytes[at]! ^ (1 << random.below(8));
  return bytes;
};

const spoilNumber: Change = (bytes, random) => {
  const size = random.pick([1, 2, 4, 8]);
  spoilField(bytes, { at: random.below(Math.ceil(bytes.length / size)) * size, size }, random);
  return bytes;
};

function block(bytes: Uint8Array, random: Random): { start: number; end: number } {
  const start = random.below(bytes.length);
  return { start, end: Math.min(bytes.length, start + 1 + random.below(random.pick([8, 64, 1024]))) };
}

const copyBlock: Change = (bytes, random) => {
  const { start, end } = block(bytes, random);
  bytes.copyWithin(random.below(bytes.length), start, end);
  return bytes;
};

const fillBlock: Change = (bytes, random) => {
  const { start, end } = block(bytes, random);
  return bytes.fill(random.pick([0, 0xff, random.below(256)]), start, end);
};

const cutBlock: Change = (bytes, random) => {
  const { start, end } = block(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
};

const repeatBlock: Change = (bytes, random) => {
  const { start, end } = block(bytes, random);
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
};

const truncate: Change = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1));

/** Those that keep everything in its place come more often: past a shifted header nothing else is looked at. */
const CHANGES: readonly Change[] = [
  ...[flipBit, flipBit, spoilNumber, spoilNumber, copyBlock, fillBlock],
  ...[cutBlock, repeatBlock, truncate],
];

/** A changed copy; an empty file stays empty. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  return random.pick(CHANGES)(Uint8Array.from(bytes), random);
}
