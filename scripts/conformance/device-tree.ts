/**
 * One property of a flattened device tree set or replaced (Devicetree Specification 0.4, chapter 5).
 *
 * QEMU writes the tree of its own machine (`dumpdtb`); the harness gives it back with the `/chosen/kaslr-seed` of a
 * boot. Nothing else of the tree is touched, so no general reader and writer is needed.
 */

const MAGIC = 0xd00dfeed;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const NOP = 4;
const HEADER = { totalSize: 4, structure: 8, strings: 12, stringsSize: 32, structureSize: 36 } as const;

/** A device tree that breaks the specification, or lacks the node asked for. */
export class DeviceTreeError extends Error {}

const roundUp4 = (x: number): number => (x + 3) & ~3;

interface Tree {
  readonly blob: Buffer;
  readonly structure: number;
  readonly strings: number;
}

function field(blob: Buffer, at: number): number {
  if (at + 4 > blob.length) throw new DeviceTreeError(`the device tree ends at ${blob.length}, ${at} is needed`);
  return blob.readUInt32BE(at);
}

function textAt(blob: Buffer, at: number): string {
  const end = blob.indexOf(0, at);
  if (end < 0) throw new DeviceTreeError('a name in the device tree has no end');
  return blob.toString('latin1', at, end);
}

/** Where a property of a child of the root lies, or where it may be inserted: behind the child's name. */
function findPlace(
  { blob, structure, strings }: Tree,
  node: string,
  property: string,
): { at: number; length: number | undefined } {
  const path: string[] = [];
  let insertion: number | undefined;
  let at = structure;
  for (;;) {
    const token = field(blob, at);
    if (token === BEGIN_NODE) {
      const name = textAt(blob, at + 4);
      path.push(name);
      at = roundUp4(at + 4 + name.length + 1);
      if (path.length === 2 && name === node) insertion = at;
    } else if (token === END_NODE) {
      if (path.length === 2 && path[1] === node) break;
      path.pop();
      at += 4;
    } else if (token === PROPERTY) {
      const length = field(blob, at + 4);
      const name = textAt(blob, strings + field(blob, at + 8));
      if (path.length === 2 && path[1] === node && name === property) return { at, length };
      at = roundUp4(at + 12 + length);
    } else if (token === NOP) at += 4;
    else break;
  }
  if (insertion === undefined) throw new DeviceTreeError(`the device tree has no node /${node}`);
  return { at: insertion, length: undefined };
}

/**
 * A copy of a device tree with `/node/property` set to `value`, bytes as they stand in the tree (big-endian).
 * @throws DeviceTreeError if the blob is no device tree or has no such node
 */
export function setProperty(dtb: Uint8Array, node: string, property: string, value: Uint8Array): Uint8Array {
  const blob = Buffer.from(dtb);
  if (field(blob, 0) !== MAGIC) throw new DeviceTreeError('not a flattened device tree');
  const structure = field(blob, HEADER.structure);
  const strings = field(blob, HEADER.strings);
  const structureEnd = structure + field(blob, HEADER.structureSize);
  const stringsEnd = strings + field(blob, HEADER.stringsSize);
  if (structureEnd > strings || stringsEnd > blob.length) {
    throw new DeviceTreeError('the blocks of the device tree do not follow each other');
  }
  const place = findPlace({ blob, structure, strings }, node, property);
  const name = Buffer.from(`${property}\0`, 'latin1');
  const record = Buffer.alloc(roundUp4(12 + value.length));
  record.writeUInt32BE(PROPERTY, 0);
  record.writeUInt32BE(value.length, 4);
  record.writeUInt32BE(stringsEnd - strings, 8);
  record.set(value, 12);

  const after = place.length === undefined ? place.at : roundUp4(place.at + 12 + place.length);
  const parts = [blob.subarray(0, place.at), record, blob.subarray(after, strings)];
  const out = Buffer.concat([...parts, blob.subarray(strings, stringsEnd), name]);
  const grown = record.length - (after - place.at);
  out.writeUInt32BE(out.length, HEADER.totalSize);
  out.writeUInt32BE(strings + grown, HEADER.strings);
  out.writeUInt32BE(stringsEnd - strings + name.length, HEADER.stringsSize);
  out.writeUInt32BE(structureEnd - structure + grown, HEADER.structureSize);
  return out;
}

/** The tree with a KASLR seed in `/chosen/kaslr-seed`, as a boot loader passes it. */
export function withKaslrSeed(dtb: Uint8Array, seed: bigint): Uint8Array {
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(seed);
  return setProperty(dtb, 'chosen', 'kaslr-seed', value);
}
