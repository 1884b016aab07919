/* SPDX-License-Identifier: MIT */
/* Per-CPU variables: their symbols lie in .data..percpu, each CPU's copy lies elsewhere. */
#include "kernel.h"

u64 sample_counter __percpu_data = 1;
EXPORT_SYMBOL(sample_counter);
struct statistics sample_statistics __percpu_data = { .self = &sample_statistics };
EXPORT_SYMBOL_GPL(sample_statistics);

u64 __per_cpu_offset[4];
EXPORT_SYMBOL(__per_cpu_offset);
u32 nr_cpus __ro_after_init = 1;
EXPORT_SYMBOL(nr_cpus);

void counter_add(u64 n)
{
	*this_cpu(sample_counter) += n;
	this_cpu(sample_statistics)->events++;
}
EXPORT_SYMBOL(counter_add);

u64 counter_read(u32 cpu)
{
	return cpu < nr_cpus ? *(u64 *)((u64)&sample_counter + __per_cpu_offset[cpu]) : 0;
}
EXPORT_SYMBOL(counter_read);

void counter_reset(void)
{
	*this_cpu(sample_counter) = 0;
}
EXPORT_SYMBOL(counter_reset);
