/**
 * CONFIG_ARM64_VA_BITS of a raw Image, which nothing in its header says.
 *
 * arch_crash_save_vmcoreinfo() passes the constant to printf as `NUMBER(%s)=%ld` with the name "VA_BITS", so the
 * code that loads that string's address moves the value into x2 beside it. Seen in every Debian kernel from 5.10 to 7.3.
 */
import { bits, signExtend } from '../bits.js';

const NAME = 'VA_BITS\0';
const NEAR = 8;
/** The name stands once in every kernel seen. Each costs a pass over the image, which could be full of them. */
const NAME_LIMIT = 16;

const isAdrp = (word: number): boolean => (word & 0x9f000000) >>> 0 === 0x90000000;
const isAddImmediate = (word: number): boolean => (word & 0xffc00000) >>> 0 === 0x91000000;
const isMovzX2 = (word: number): boolean => (word & 0xffe0001f) >>> 0 === 0xd2800002;

const adrpPages = (word: number): number => signExtend((bits(word, 23, 5) << 2) | bits(word, 30, 29), 21);

/**
 * The value the image's own code states; undefined if it has no such code (built without VMCORE_INFO).
 * @param image from `_text` on, at a 4-byte aligned buffer offset
 */
export function findVaBits(image: Uint8Array): number | undefined {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  const words = new Uint32Array(image.buffer, image.byteOffset, image.length >> 2);
  let tried = 0;
  for (
    let at = bytes.indexOf(NAME, 0, 'latin1');
    at >= 0 && tried < NAME_LIMIT;
    at = bytes.indexOf(NAME, at + 1, 'latin1')
  ) {
    tried++;
    for (const reference of referencesTo(words, at)) {
      const near = words.subarray(Math.max(0, reference - NEAR), reference + NEAR);
      const value = near.filter(isMovzX2).map((word) => bits(word, 20, 5));
      const found = value.find((n) => n >= 36 && n <= 52);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Word indices of the ADRPs whose following ADD completes the address of `target`; ADRP pages do not depend on the load address. */
function* referencesTo(words: Uint32Array, target: number): Generator<number> {
  const page = Math.floor(target / 4096);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (!isAdrp(word) || (i >> 10) + adrpPages(word) !== page) continue;
    const register = bits(word, 4, 0);
    const following = words.subarray(i + 1, i + NEAR);
    if (
      following.some(
        (add) => isAddImmediate(add) && bits(add, 9, 5) === register && bits(add, 21, 10) === target % 4096,
      )
    ) {
      yield i;
    }
  }
}
