/* SPDX-License-Identifier: MIT */
/* Uses everything exporter.ko exports: calls, data by ADRP pairs and by pointer, the per-CPU variable. */
#include "module.h"

u64 load_or(const u64 *from, u64 otherwise);

static u64 triple(u64 x)
{
	return exporter_double(x) + x;
}

static struct exported_entry entry = { "triple", triple, NULL };

static const struct {
	u64 (*function)(u64);
	const void *data;
} imports[] = {
	{ exporter_double, &exporter_limit },
	{ exporter_lookup, &exporter_list },
	{ exporter_hash, exporter_name },
	{ triple, &exporter_hits },
};

static noinline u64 use_imports(u64 x)
{
	for (size_t i = 0; i < ARRAY_SIZE(imports); i++)
		x += imports[i].function(x) + load_or(imports[i].data, x);
	return x < exporter_limit ? exporter_lookup(x) : exporter_hash(x);
}

int __init init_module(void)
{
	exporter_add(&entry);
	*this_cpu(exporter_hits) += 1;
	sample_print("%s: %lx\n", exporter_name, use_imports(exporter_list->function(1)));
	return 0;
}

void __exit cleanup_module(void)
{
	sample_print("%s: %lx\n", exporter_name, exporter_double(*this_cpu(exporter_hits)));
}
