import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { imageArea } from '../../../lib/kaslr/image-area.js';
import { AddressSpace } from '../../../lib/module/address-space.js';

const PAGE = 4096;
const at = (address: bigint) => va(Number(BigInt.asIntN(64, address)));
const image = {
  text: at(0xffffc59ef1200000n),
  stext: at(0xffffc59ef1210000n),
  end: at(0xffffc59ef3210000n),
  pageSize: PAGE,
};

describe('imageArea', () => {
  it.each([
    ['4.6.0', 0, 0],
    ['4.13.16', 0, 0],
    ['4.14.1', 0, 1],
    ['5.10.0-32-arm64', 0, 1],
    ['5.11.1', 0x10000, 1],
    ['6.1.0-56-arm64', 0x10000, 1],
    ['6.12.53', 0x10000, 1],
    ['6.12.54', 0, 1],
    ['6.12.107+deb13-arm64', 0, 1],
    ['6.16.9', 0x10000, 1],
    ['6.17.3', 0x10000, 1],
    ['6.17.4', 0, 1],
    ['6.18.1', 0, 1],
    ['7.3.4', 0, 1],
  ])('of %s begins %d bytes above _text, with %d guard pages behind it', (release, head, guards) => {
    expect(imageArea(release, image)).toEqual({ start: va(image.text + head), end: va(image.end + guards * PAGE) });
  });

  it('ends at a page of the kernel', () => {
    const end = va(image.end - 0x8000);
    expect(imageArea('6.1', { ...image, end, pageSize: 65536 }).end).toBe(image.end + 0x10000);
  });

  // 6.1.0-56-arm64 on a Cortex-A53 under QEMU, seed 0xa7e5259ee929dbf6; init memory was not freed meanwhile.
  it('leaves to modules of a booted 6.1 what that kernel gave them', () => {
    const hole = at(0xffffc59ef11fb000n);
    const space = new AddressSpace({ start: hole, end: hole + 2 ** 31 }, PAGE);
    space.reserve(imageArea('6.1.0-56-arm64', image));
    const recorded: [block: string, bytes: number, address: bigint][] = [
      ['rtl8723be', 0x18000, 0xffffc59ef3211000n],
      ['rtl8723be init', 0x6000, 0xffffc59ef11fb000n],
      ['crypto_engine', 0x5000, 0xffffc59ef1202000n],
      ['crypto_engine init', 0x3000, 0xffffc59ef1208000n],
      ['sun8i_ce', 0x8000, 0xffffc59ef322a000n],
      ['sun8i_ce init', 0x4000, 0xffffc59ef3233000n],
    ];
    const allocated = recorded.map(([block, bytes]) => [
      block,
      bytes,
      BigInt.asUintN(64, BigInt(space.allocate(bytes, { base: hole, end: hole + 2 ** 31 })!)),
    ]);
    expect(allocated).toEqual(recorded);
  });
});
