/* SPDX-License-Identifier: MIT */
/* For the sample modules: the kernel's declarations, and those of exporter.ko for importer.ko. */
#ifndef SAMPLES_MODULE_H
#define SAMPLES_MODULE_H

#include "../kernel/kernel.h"

int init_module(void);
void cleanup_module(void);

struct exported_entry {
	const char *name;
	u64 (*function)(u64);
	struct exported_entry *next;
};
extern struct exported_entry *exporter_list;
extern u64 exporter_limit;
extern u64 exporter_hits;
extern const char exporter_name[];
u64 exporter_double(u64 x);
u64 exporter_lookup(u64 x);
u64 exporter_hash(u64 x);
void exporter_add(struct exported_entry *entry);

#endif
