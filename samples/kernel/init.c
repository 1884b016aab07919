/* SPDX-License-Identifier: MIT */
/* What runs once: .init.text and .init.data, with a table of functions to call. */
#include "kernel.h"

static int __init init_percpu(void)
{
	for (u32 cpu = 0; cpu < ARRAY_SIZE(__per_cpu_offset); cpu++)
		__per_cpu_offset[cpu] = 0;
	nr_cpus = ARRAY_SIZE(__per_cpu_offset);
	return 0;
}

static int __init init_log(void)
{
	return sample_print("%s", linux_banner);
}

static int __init init_tables(void)
{
	return walk_vectors(-1UL) + record_tags() + read_ticks() == 0;
}

static int __init init_crash(void)
{
	arch_crash_save_vmcoreinfo();
	return notifier_call(&boot_notifiers, 1, &main_queue);
}

static int (*init_calls[])(void) __initdata = { init_percpu, init_log, init_tables, init_crash };
static const char *init_names[] __initdata = { "percpu", "log", "tables", "crash" };

void __init start_kernel(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(init_calls); i++)
		if (init_calls[i]() < 0)
			sample_warn("%s failed\n", init_names[i]);
	sample_state = state_of_name("running");
}
