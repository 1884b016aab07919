/* SPDX-License-Identifier: MIT */
/* The object that does not belong in mixed.ko: small code model, with ADRP pairs to the kernel's data. */
#include "module.h"

u64 small_part_total = 3;

u64 small_part(u64 x)
{
	small_part_total += sample_ticks + x;
	if (small_part_total > sample_limit)
		sample_limit = small_part_total;
	return mix64(small_part_total + (u64)&main_queue);
}
