/* SPDX-License-Identifier: MIT */
/* Every call is in .init.text, which has its own PLT: .init.plt is sized, .plt stays empty. */
#include "module.h"

static const char *const __initdata names[] = { "one", "two", "three" };
static u64 sums[3];

static int __init noinline report(int i)
{
	return sample_print("%s: %lx\n", names[i], sums[i]);
}

int __init init_module(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		sums[i] = hash_bytes((const u8 *)names[i], strlen(names[i]));
		sums[i] += power(sums[i], 3) ^ crc32(0, (const u8 *)names[i], strnlen(names[i], 4));
		if (report(i) < 0)
			return sample_warn("cannot report\n");
	}
	lock_release((u32 *)pool_alloc(8));
	return notifier_call(&boot_notifiers, 3, sums);
}

void __exit cleanup_module(void)
{
	sums[0] = 0;
}
