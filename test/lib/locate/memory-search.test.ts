import { describe, expect, it } from '@jest/globals';
import seedrandom from 'seedrandom';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { fingerprint } from '../../../lib/locate/fingerprint.js';
import type { MemoryDump } from '../../../lib/locate/memory-dump.js';
import { findImages } from '../../../lib/locate/memory-search.js';
import { relocateImage } from '../../../lib/reloc/relative.js';
import { readSample, SAMPLE_KERNELS } from '../../support/sample.js';
import { codeOf } from '../../support/thrown.js';

const MIB = 2 ** 20;
const OFFSET = 0x5e37c1e00000;

/** A dump whose reads share one buffer, as those of a file do. */
function dumpOf(bytes: Uint8Array): MemoryDump {
  let shared = new Uint8Array(0);
  return {
    size: bytes.length,
    read: (position, length) => {
      if (shared.length < length) shared = new Uint8Array(length);
      const part = bytes.subarray(position, position + length);
      shared.set(part);
      return shared.subarray(0, part.length);
    },
  };
}

/** Memory full of what no kernel left there. */
function noise(size: number, name: string): Uint8Array {
  const random = seedrandom(name);
  const words = new Uint32Array(size / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.int32();
  return new Uint8Array(words.buffer);
}

function running(kernel: Kernel, offset: number): Uint8Array {
  const image = kernel.relocatable();
  relocateImage(image, offset);
  return image.bytes;
}

/** `memory` with `bytes` at `position`. */
function withBytes(
  memory: Uint8Array,
  ...parts: readonly (readonly [position: number, bytes: Uint8Array])[]
): Uint8Array {
  const copy = new Uint8Array(memory);
  for (const [position, bytes] of parts) copy.set(bytes, position);
  return copy;
}

const MEMORY = noise(24 * MIB, 'memory');

describe.each(SAMPLE_KERNELS)('findImages, for the kernel of style $style', ({ image }) => {
  const kernel = openKernel(readSample(image));

  it.each([0, 65536, 5 * MIB + 3 * 65536, 8 * MIB - 65536, 16 * MIB - 4096])(
    'finds the running image at %d',
    async (position) => {
      const print = fingerprint((await kernel).relocatable());
      const [found, ...others] = findImages(
        dumpOf(withBytes(MEMORY, [position, running(await kernel, OFFSET)])),
        print,
      );
      expect(found).toEqual({
        position,
        offset: OFFSET,
        pages: { found: print.pages.size, of: print.pages.size },
        words: { found: print.moved.length, of: print.moved.length },
      });
      expect(others).toEqual([]);
    },
  );

  it('prefers it to copies of the file, wherever they lie', async () => {
    const print = fingerprint((await kernel).relocatable());
    const file = (await kernel).image;
    const memory = withBytes(MEMORY, [MIB, file], [9 * MIB, running(await kernel, OFFSET)], [20 * MIB, file]);
    expect(findImages(dumpOf(memory), print)[0]).toMatchObject({ position: 9 * MIB, offset: OFFSET });
  });

  it('lists what earlier boots left behind after what is better preserved', async () => {
    const print = fingerprint((await kernel).relocatable());
    const worn = running(await kernel, OFFSET + 2 * MIB);
    // The second half has been given to others since; of its pages and words the first half remains.
    worn.set(noise(4096 * 16, 'worn').subarray(0, worn.length / 2), Math.ceil(worn.length / 2));
    const memory = withBytes(MEMORY, [MIB, worn], [9 * MIB, running(await kernel, OFFSET)]);
    const [first] = findImages(dumpOf(memory), print);
    expect(first).toMatchObject({ position: 9 * MIB, offset: OFFSET });
  });

  it('finds a kernel that runs where it was linked', async () => {
    const print = fingerprint((await kernel).relocatable());
    expect(findImages(dumpOf(withBytes(MEMORY, [MIB, running(await kernel, 0)])), print)[0]).toMatchObject({
      position: MIB,
      offset: 0,
    });
  });

  it('finds it where a few pages and words have changed since', async () => {
    const print = fingerprint((await kernel).relocatable());
    const image = running(await kernel, OFFSET);
    for (const { place } of print.moved.filter((_, i) => i % 3 === 0)) image.fill(0xa5, place, place + 8);
    const [found] = findImages(dumpOf(withBytes(MEMORY, [MIB, image])), print);
    expect(found).toMatchObject({ position: MIB, offset: OFFSET });
    expect(found!.words.found).toBeLessThan(print.moved.length);
    expect(found!.words.found).toBeGreaterThan(print.moved.length / 2);
  });

  it('finds one that begins before the dump does, or ends after it', async () => {
    const print = fingerprint((await kernel).relocatable());
    const image = running(await kernel, OFFSET);
    const head = findImages(dumpOf(image.subarray(4096)), print)[0]!;
    expect(head).toMatchObject({ offset: OFFSET });
    expect(head.position).toBeUndefined();
    const tail = withBytes(MEMORY.subarray(0, image.length), [4096, image.subarray(0, image.length - 4096)]);
    expect(findImages(dumpOf(tail), print)[0]).toMatchObject({ position: 4096, offset: OFFSET });
  });

  it('does not find it in other memory', async () => {
    const print = fingerprint((await kernel).relocatable());
    for (const memory of [MEMORY, new Uint8Array(MIB), new Uint8Array(0), MEMORY.subarray(0, 4)]) {
      expect(codeOf(() => findImages(dumpOf(memory), print))).toBe('NO_IMAGE');
    }
  });

  it('does not take pages for an image whose relocated words do not agree', async () => {
    const print = fingerprint((await kernel).relocatable());
    const image = running(await kernel, OFFSET);
    print.moved.forEach(({ place }, i) => {
      new DataView(image.buffer).setBigUint64(place, BigInt(i) * 0x1001n, true);
    });
    expect(codeOf(() => findImages(dumpOf(withBytes(MEMORY, [MIB, image])), print))).toBe('NO_IMAGE');
  });

  it('stops at no amount of pages that look like the first', async () => {
    const print = fingerprint((await kernel).relocatable());
    const page = (await kernel).image.subarray(0, 4096);
    const memory = new Uint8Array(16 * MIB);
    for (let position = 0; position < memory.length; position += 4096) memory.set(page, position);
    expect(codeOf(() => findImages(dumpOf(memory), print))).toBe('NO_IMAGE');
  });

  it('reports how far it has come', async () => {
    const print = fingerprint((await kernel).relocatable());
    const done: number[] = [];
    findImages(dumpOf(withBytes(MEMORY, [MIB, running(await kernel, OFFSET)])), print, (bytes) => done.push(bytes));
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(MEMORY.length);
  });
});

describe('fingerprint', () => {
  it('takes no page that a relocation touches, and none that is not unique', async () => {
    const kernel = await openKernel(readSample('6.12/Image.gz'));
    const { pages, moved } = fingerprint(kernel.relocatable());
    const [here, there] = [running(kernel, 0), running(kernel, OFFSET)];
    for (const { offset } of pages.values()) {
      expect(there.subarray(offset, offset + 8)).toEqual(here.subarray(offset, offset + 8));
    }
    const view = new DataView(there.buffer);
    for (const { place, linked } of moved) expect(view.getBigUint64(place, true)).toBe(linked + BigInt(OFFSET));
  });

  it('refuses an image without relocations or with nothing to tell it by', () => {
    const tables = { rela: { offset: 0, count: 0 }, relr: { offset: 0, words: 0, count: 0 } };
    expect(codeOf(() => fingerprint({ bytes: new Uint8Array(8192), linkBase: -(2 ** 47), tables }))).toBe('NO_IMAGE');
  });
});
