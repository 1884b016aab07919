/**
 * The build IDs in a kernel image: notes of type NT_GNU_BUILD_ID. The kernel's own is in .notes, but the vDSOs within carry theirs
 * too, and nothing in a raw Image tells which is whose; vmcoreinfo states the kernel's.
 */

/** n_namesz 4, n_descsz 20 (SHA-1, all that BUILD-ID= has room for), n_type 3, "GNU". */
const NOTE = Uint8Array.of(4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0);
const ID_SIZE = 20;
/** An image has up to three. */
const COUNT_LIMIT = 16;

/** Build IDs in lower-case hexadecimal, in the order of the image; none if it was linked without. */
export function buildIdsOf(image: Uint8Array): string[] {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  const found: string[] = [];
  for (let at = bytes.indexOf(NOTE); at >= 0 && found.length < COUNT_LIMIT; at = bytes.indexOf(NOTE, at + 1)) {
    const end = at + NOTE.length + ID_SIZE;
    if (end <= bytes.length) found.push(bytes.toString('hex', end - ID_SIZE, end));
  }
  return found;
}
