/** The archive is read back here as Documentation/driver-api/early-userspace/buffer-format.rst describes it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ArchiveFile, buildInitramfs, EXECUTABLE, REGULAR } from '../../../scripts/conformance/initramfs.js';

function readArchive(bytes: Uint8Array): ArchiveFile[] {
  const archive = Buffer.from(bytes);
  const files: ArchiveFile[] = [];
  let at = 0;
  for (;;) {
    const header = archive.toString('latin1', at, at + 110);
    expect(header.slice(0, 6)).toBe('070701');
    const field = (i: number): number => Number.parseInt(header.slice(6 + 8 * i, 14 + 8 * i), 16);
    const name = archive.toString('latin1', at + 110, at + 110 + field(11) - 1);
    expect(archive[at + 110 + field(11) - 1]).toBe(0);
    const content = (at + 110 + field(11) + 3) & ~3;
    if (name === 'TRAILER!!!') {
      expect((content + 3) & ~3).toBe(archive.length);
      return files;
    }
    files.push({ name, mode: field(1), content: Uint8Array.from(archive.subarray(content, content + field(6))) });
    at = (content + field(6) + 3) & ~3;
  }
}

describe('buildInitramfs', () => {
  it('is read back as it was given', () => {
    const file = fc.record({
      name: fc.stringMatching(/^[a-z0-9_.-]{1,40}$/),
      mode: fc.constantFrom(REGULAR, EXECUTABLE),
      content: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(fc.array(file), (files) => {
        expect(readArchive(buildInitramfs(files))).toEqual(files);
      }),
    );
  });

  it('gives each file an inode of its own, or the kernel takes them for links', () => {
    const empty = new Uint8Array(0);
    const text = Buffer.from(
      buildInitramfs(['a', 'b'].map((name) => ({ name, mode: REGULAR, content: empty }))),
    ).toString('latin1');
    const inodes = [...text.matchAll(/070701([0-9a-f]{8})/g)].map(([, inode]) => inode);
    expect(new Set(inodes).size).toBe(inodes.length);
  });
});
