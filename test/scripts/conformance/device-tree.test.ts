/** Trees are written and read back here by the Devicetree Specification 0.4, chapter 5, with nothing of the harness. */
import { describe, expect, it } from '@jest/globals';
import { DeviceTreeError, setProperty, withKaslrSeed } from '../../../scripts/conformance/device-tree.js';

interface Node {
  readonly name: string;
  readonly properties?: Readonly<Record<string, Uint8Array>>;
  readonly children?: readonly Node[];
}

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, 4 * i);
  });
  return bytes;
};
const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** @param slack bytes of nothing behind each block, as QEMU leaves them */
function buildTree(root: Node, slack = 0): Buffer {
  let strings = Buffer.alloc(0);
  const nameOffset = (name: string): number => {
    const at = strings.length;
    strings = Buffer.concat([strings, Buffer.from(`${name}\0`)]);
    return at;
  };
  const node = ({ name, properties = {}, children = [] }: Node): Buffer =>
    Buffer.concat([
      u32(1),
      padded(Buffer.from(`${name}\0`)),
      ...Object.entries(properties).flatMap(([key, value]) => [u32(3, value.length, nameOffset(key)), padded(value)]),
      u32(4),
      ...children.map(node),
      u32(2),
    ]);
  const structure = Buffer.concat([node(root), u32(9)]);
  const reservations = Buffer.alloc(16);
  const structureAt = 40 + reservations.length;
  const stringsAt = structureAt + structure.length + slack;
  const total = stringsAt + strings.length + slack;
  const header = u32(0xd00dfeed, total, structureAt, stringsAt, 40, 17, 16, 0, strings.length, structure.length);
  const gap = Buffer.alloc(slack);
  return Buffer.concat([header, reservations, structure, gap, strings, gap]);
}

function readTree(bytes: Uint8Array): Node {
  const blob = Buffer.from(bytes);
  const at = (offset: number): number => blob.readUInt32BE(offset);
  expect(at(0)).toBe(0xd00dfeed);
  expect(at(4)).toBe(blob.length);
  const strings = blob.subarray(at(12), at(12) + at(32));
  const end = at(8) + at(36);
  const cString = (buffer: Buffer, from: number): string => buffer.toString('latin1', from, buffer.indexOf(0, from));
  let cursor = at(8);
  const node = (): Node => {
    const name = cString(blob, cursor + 4);
    cursor += 4 + ((name.length + 4) & ~3);
    const properties: Record<string, Uint8Array> = {};
    const children: Node[] = [];
    for (;;) {
      const token = at(cursor);
      if (token === 1) children.push(node());
      else if (token === 3) {
        const length = at(cursor + 4);
        properties[cString(strings, at(cursor + 8))] = Uint8Array.from(
          blob.subarray(cursor + 12, cursor + 12 + length),
        );
        cursor += 12 + ((length + 3) & ~3);
      } else {
        expect([2, 4]).toContain(token);
        cursor += 4;
        if (token === 2) return { name, properties, children };
      }
    }
  };
  const root = node();
  expect(at(cursor)).toBe(9);
  expect(cursor + 4).toBe(end);
  return root;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const SEED = bytes(0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10);

const tree = (chosen: Record<string, Uint8Array>, before: Node[] = []): Node => ({
  name: '',
  properties: { model: bytes(0x61, 0) },
  children: [
    ...before,
    { name: 'chosen', properties: chosen, children: [] },
    { name: 'memory@40000000', properties: { reg: bytes(1, 2, 3) }, children: [] },
  ],
});

describe('withKaslrSeed', () => {
  it.each([
    [
      'a seed that is there',
      { 'rng-seed': bytes(1, 2, 3, 4, 5), 'kaslr-seed': bytes(1, 2, 3, 4, 5, 6, 7, 8), x: bytes() },
    ],
    ['a seed of another length', { 'kaslr-seed': bytes(1, 2, 3), 'stdout-path': bytes(0x2f, 0) }],
    ['no seed', { 'stdout-path': bytes(0x2f, 0) }],
    ['an empty node', {}],
  ])('sets %s, and nothing else', (_, chosen: Record<string, Uint8Array>) => {
    for (const slack of [0, 64]) {
      const changed = readTree(withKaslrSeed(buildTree(tree(chosen), slack), 0xfedcba9876543210n));
      expect(changed).toEqual(tree({ ...chosen, 'kaslr-seed': SEED }));
    }
  });

  it('is not misled by a node of the same name elsewhere', () => {
    const decoy: Node = {
      name: 'soc',
      properties: {},
      children: [{ name: 'chosen', properties: { 'kaslr-seed': bytes(9) }, children: [] }],
    };
    const changed = readTree(withKaslrSeed(buildTree(tree({}, [decoy])), 0xfedcba9876543210n));
    expect(changed).toEqual(tree({ 'kaslr-seed': SEED }, [decoy]));
  });

  it('gives the last of two seeds', () => {
    const once = withKaslrSeed(buildTree(tree({})), 1n);
    expect(readTree(withKaslrSeed(once, 0xfedcba9876543210n))).toEqual(tree({ 'kaslr-seed': SEED }));
  });
});

describe('setProperty', () => {
  const valid = buildTree(tree({}));

  it.each([
    ['no tree', Buffer.alloc(64), 'not a flattened device tree'],
    ['nothing', Buffer.alloc(0), 'the device tree ends at 0'],
    ['a header alone', valid.subarray(0, 40), 'do not follow each other'],
    ['half a tree', valid.subarray(0, valid.length - 5), 'do not follow each other'],
  ])('refuses %s', (_, blob, message) => {
    expect(() => setProperty(blob, 'chosen', 'x', SEED)).toThrow(DeviceTreeError);
    expect(() => setProperty(blob, 'chosen', 'x', SEED)).toThrow(message);
  });

  it('refuses a tree without the node', () => {
    expect(() => setProperty(valid, 'firmware', 'x', SEED)).toThrow('no node /firmware');
  });
});
