/* SPDX-License-Identifier: MIT */
/* Compiled with -fPIC: the kernel's data is reached through a GOT (types 311 and 312), so no kernel loads it. */
#include "module.h"

u64 pic_total;

static noinline u64 gather(u64 x)
{
	pic_total += sample_ticks + sample_limit + x;
	return mix64(pic_total + queue_length(&main_queue));
}

int __init init_module(void)
{
	return gather(nr_cpus) == 0;
}

void __exit cleanup_module(void)
{
	sample_print("%lx\n", gather(0));
}
