/**
 * An initramfs: a cpio archive in the "newc" format that the kernel unpacks into its root file system.
 *
 * @see Linux Documentation/driver-api/early-userspace/buffer-format.rst
 */

export interface ArchiveFile {
  /** Without a leading slash; its directory must come first. */
  readonly name: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

export const EXECUTABLE = 0o100755;
export const REGULAR = 0o100644;
export const DIRECTORY = 0o040755;

const TRAILER: ArchiveFile = { name: 'TRAILER!!!', content: new Uint8Array(0), mode: 0 };

const padding = (length: number): Uint8Array => new Uint8Array(-length & 3);

function header({ name, content, mode }: ArchiveFile, inode: number): Uint8Array {
  const nlink = 1;
  const fields = [inode, mode, 0, 0, nlink, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  return Buffer.from(`070701${fields.map((x) => x.toString(16).padStart(8, '0')).join('')}${name}\0`, 'latin1');
}

/** The archive's bytes, header and content of each file padded to a multiple of 4. */
export function buildInitramfs(files: readonly ArchiveFile[]): Uint8Array {
  const parts = [...files, TRAILER].flatMap((file, i) => {
    const head = header(file, i + 1);
    return [head, padding(head.length), file.content, padding(file.content.length)];
  });
  return Buffer.concat(parts);
}
