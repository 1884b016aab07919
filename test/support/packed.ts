/** One text packed by the field's tools; Node itself packs gzip alone. */

/** 300,000 bytes: runs of 4096, more than two blocks of either format. */
export const PAYLOAD = Uint8Array.from({ length: 300_000 }, (_, i) => i >> 12);

const unbase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

/** `xz --block-size=131072` (5.4.1): three blocks. */
export const XZ = unbase64(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4f//AIpdAABv/f//o7f/Rz5IFXI5YVG4kijmo4SfiEXyfRHN/10VGuhKIG3FveC92Dr75F+eLUjUlmvnMTcA6aVOw7pQbMgdEggbXzvHxS+i5VlkG1lln/tY88dYCTLRRhpXFHlJuGTcsuOECyBxRdPOzqPR+d04dQG4uFaSISKLJ6PyOxzQgtl4VYTdooVNIwAAAA5EnCW0d/lOAgAhARYAAAB0L+Wj4f//AIpdABBv+7/+o7Fe5fg/sqomVfhocEFwFQ484EVx5JUq/bV19OND9O94vTpn85v3nerhn5O1s8PEJQfrqwjIJNRUSK5HuZtj9OBBt0Q34cHf6s6FXRc4WNVSSvzTVM6EBCvCGt/gUN4ZZ/u8e0UJRi7hwWbvWdZBZjCwRGy4NSKhWv8nqVHHrbPT353aKAAAAOV9OvEQVVFIAgAhARYAAAB0L+Wj4JPfAFRdACBv+7/+o7Fe5fg/sqomVfhocEFwFQ5USK1x5JUq/bV19OND9PNorZpn85v3nerjVIpcs8PEJRN3OgHIJNoez8BHvRjSPuCmn0rs3EaTBXG3u/DIAACEuJtVXbmT5gADpgGAgAimAYCACHDgpwKDSyOirCc+LQQAAAAABFla',
);

/** `xz --check=crc32 --arm64 --lzma2`: a filter that few decoders have. */
export const XZ_FILTERED = unbase64(
  '/Td6WFoAAAFpIt42AgEKACEBFgB95z8l5JPfAN5dAABv/f//o7f/Rz5IFXI5YVG4kijmo4SfiEXyfRHN/10VGuhKIG3FveC92Dr75F+eLUjUlmvnMTcA6aVOw7pQbMgdEggbXzvHxS+i5VlkG1lln/tY88dYCTLRRhpXFHlJuGTcsuOECyBxRdPOzqPR+d04dQG4uFaSISKLJ6PyOxzQgtl4VYTdpF+YHdsi6LbOm1g6Zaf0hxE6XKjaD4uMlDbgr0mAtlh2YbOpRVCX1F8ao+cMOVTflk9bbATflekXDB4BGd1Yi9I4T8Bx3Udh3ZJIMHC4xdXZ7yhWe2oAAAAAAF5Chp4AAfYB4KcSAGd9Qk8+MA2LAgAAAAABWVo=',
);

/** `zstd -19` (1.5.4): one frame of three blocks, with a checksum. */
export const ZSTD = unbase64(
  'KLUv/aTgkwQApAIABAIAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyBUAQAv/Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+85///Oc///nPf/7zn/8BpAIABAIgISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+PyBUAQAv/Oc///nPf/7zn//85z//+c9//vOf//znP//5z3/+85///Oc///nPf/7zn/8BLQEAUEBBQkNERUZHSEkKUAEA3Cv++/z3+e/z3+e/z3+f/z7/ff77AZRgNtM=',
);

/** A frame that decoders pass over. */
export const ZSTD_SKIPPABLE = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4);

/** An EFI zboot image: the header that Linux's zboot-header.S writes, and a payload. */
export function zboot(payload: Uint8Array, compression: string): Uint8Array {
  const offset = 512;
  const bytes = Buffer.alloc(offset + payload.length + 100, 0xcc);
  bytes.write('MZ\0\0zimg', 'latin1');
  bytes.writeUInt32LE(offset, 8);
  bytes.writeUInt32LE(payload.length, 12);
  bytes.fill(0, 16, 64);
  bytes.write(compression, 24, 'latin1');
  bytes.set(payload, offset);
  return bytes;
}
