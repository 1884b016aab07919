/* SPDX-License-Identifier: MIT */
/* A module with exports of every kind: functions, data, read-only data after init, a per-CPU variable. */
#include "module.h"

const char exporter_name[] = "exporter";
EXPORT_SYMBOL(exporter_name);

u64 exporter_limit __ro_after_init = 16;
EXPORT_SYMBOL(exporter_limit);

u64 exporter_hits __percpu_data;
EXPORT_SYMBOL_GPL(exporter_hits);

static u32 list_lock __attribute__((section(".data..cacheline_aligned"), aligned(64)));
static u64 results[32];

static struct exported_entry last = { "hash", exporter_hash, NULL };
static struct exported_entry first = { "double", exporter_double, &last };
struct exported_entry *exporter_list = &first;
EXPORT_SYMBOL(exporter_list);

u64 exporter_double(u64 x)
{
	*this_cpu(exporter_hits) += 1;
	return x + x;
}
EXPORT_SYMBOL(exporter_double);

u64 exporter_hash(u64 x)
{
	return mix64(x) ^ hash_bytes((const u8 *)&x, sizeof(x));
}
EXPORT_SYMBOL_GPL(exporter_hash);

u64 exporter_lookup(u64 x)
{
	for (struct exported_entry *entry = exporter_list; entry; entry = entry->next)
		results[x % ARRAY_SIZE(results)] += entry->function(x);
	return results[x % ARRAY_SIZE(results)];
}
EXPORT_SYMBOL(exporter_lookup);

void exporter_add(struct exported_entry *entry)
{
	lock_acquire(&list_lock);
	entry->next = exporter_list;
	exporter_list = entry;
	lock_release(&list_lock);
	sample_print("%s: %s\n", exporter_name, entry->name);
}
EXPORT_SYMBOL_GPL(exporter_add);

int __init init_module(void)
{
	exporter_limit = pool_available() / 2;
	return exporter_lookup(exporter_limit) == 0;
}

void __exit cleanup_module(void)
{
	sample_print("%s: %lx\n", exporter_name, exporter_hash(results[0]));
}
