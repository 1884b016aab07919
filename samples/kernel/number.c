/* SPDX-License-Identifier: MIT */
/* Bits, arithmetic and checksums: leaf functions for modules to call. */
#include "kernel.h"

u32 count_bits(u64 x)
{
	u32 n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}
EXPORT_SYMBOL(count_bits);

int highest_bit(u64 x)
{
	return x ? 63 - __builtin_clzl(x) : -1;
}
EXPORT_SYMBOL(highest_bit);

int lowest_bit(u64 x)
{
	return x ? __builtin_ctzl(x) : -1;
}
EXPORT_SYMBOL(lowest_bit);

u64 greatest_divisor(u64 a, u64 b)
{
	while (b) {
		u64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}
EXPORT_SYMBOL_GPL(greatest_divisor);

u64 least_multiple(u64 a, u64 b)
{
	return a && b ? a / greatest_divisor(a, b) * b : 0;
}
EXPORT_SYMBOL_GPL(least_multiple);

u64 square_root(u64 x)
{
	u64 root = 0;

	for (u64 bit = 1UL << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= x)
			root |= bit;
	return root;
}
EXPORT_SYMBOL(square_root);

u64 power(u64 base, u32 exponent)
{
	u64 result = 1;

	for (; exponent; exponent >>= 1, base *= base)
		if (exponent & 1)
			result *= base;
	return result;
}
EXPORT_SYMBOL(power);

u64 swap_bytes(u64 x)
{
	return __builtin_bswap64(x);
}
EXPORT_SYMBOL(swap_bytes);

u64 reverse_bits(u64 x)
{
	asm("rbit %0, %0" : "+r"(x));
	return x;
}
EXPORT_SYMBOL(reverse_bits);

u64 mix64(u64 x)
{
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93UL;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93UL;
	return x ^ (x >> 32);
}
EXPORT_SYMBOL_GPL(mix64);

u16 crc16(u16 crc, const u8 *from, size_t n)
{
	while (n--) {
		crc ^= *from++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xa001 : 0);
	}
	return crc;
}
EXPORT_SYMBOL(crc16);

u32 crc32(u32 crc, const u8 *from, size_t n)
{
	while (n--) {
		crc ^= *from++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}
EXPORT_SYMBOL(crc32);

u32 hash_bytes(const u8 *from, size_t n)
{
	u32 hash = 0x811c9dc5;

	while (n--)
		hash = (hash ^ *from++) * 0x01000193;
	return hash;
}
EXPORT_SYMBOL_GPL(hash_bytes);
