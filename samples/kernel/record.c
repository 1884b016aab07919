/* SPDX-License-Identifier: MIT */
/*
 * Pointers that are not 8-byte aligned. Even addresses, of all residues modulo 8, go into RELR; odd ones
 * cannot be expressed there and become RELA, the few that a RELR kernel still has.
 */
#include "kernel.h"

struct even_record {
	u16 tag;
	const void *pointer;
} __attribute__((packed, aligned(2)));

struct odd_record {
	u8 tag;
	const void *pointer;
} __attribute__((packed));

_Static_assert(sizeof(struct even_record) == 10 && sizeof(struct odd_record) == 9, "packed");

static struct even_record even_records[12] __attribute__((aligned(8))) = {
	{ 0, memcpy },     { 1, memset },      { 2, &sample_ticks }, { 3, &even_records[3] },
	{ 4, strlen },     { 5, strcmp },      { 6, linux_banner },  { 7, &even_records[11] },
	{ 8, &main_queue }, { 9, sample_print }, { 10, state_names },  { 11, &even_records[0] },
};

static struct odd_record odd_records[7] __attribute__((aligned(8))) = {
	{ 0, crc16 },      { 1, crc32 },       { 2, power },          { 3, &odd_records[3] },
	{ 4, counter_add }, { 5, sample_warn }, { 6, &odd_records[6].pointer },
};

u64 record_tags(void)
{
	u64 sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(even_records); i++)
		sum += even_records[i].tag ^ (u64)even_records[i].pointer;
	for (size_t i = 0; i < ARRAY_SIZE(odd_records); i++)
		sum += odd_records[i].tag ^ (u64)odd_records[i].pointer;
	return sum;
}
EXPORT_SYMBOL_GPL(record_tags);
