/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables: .data..percpu is copied for each CPU, and its symbols resolve into that allocation.
 * The section loses SHF_ALLOC before relocations are applied, so the pointer in `window` stays unrelocated.
 */
#include "module.h"

struct window {
	u64 first, last;
	const void *owner;
};

static u64 hits __percpu_data = 7;
static struct window window __percpu_data __attribute__((aligned(64))) = { 1, 2, &main_queue };
static u8 marks[40] __percpu_data;
static u64 *const published[] = { &hits, &window.last, &sample_counter };

static noinline void mark(u64 n)
{
	struct window *here = this_cpu(window);

	here->last += n;
	(*this_cpu(marks))[n % sizeof(marks)]++;
	*this_cpu(hits) += n;
	*this_cpu(sample_counter) += n;
	counter_add(here->last - here->first);
}

static noinline u64 total(void)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		for (size_t i = 0; i < ARRAY_SIZE(published); i++)
			sum += *(u64 *)((u64)published[i] + __per_cpu_offset[cpu]);
	return sum;
}

int __init init_module(void)
{
	mark(4);
	return total() == 0;
}

void __exit cleanup_module(void)
{
	sample_print("%lx hits\n", total());
}
