/* SPDX-License-Identifier: MIT */
/*
 * Linked before exporter.c: a static function named like an exported one. It comes first in .symtab, yet the
 * export is what the relocation of __ksymtab_exporter_lookup refers to.
 */
#include "../kernel/kernel.h"

static noinline u64 exporter_lookup(u64 x)
{
	return x % 7 + read_ticks();
}

u64 exporter_private(u64 x)
{
	return exporter_lookup(x) + exporter_lookup(x + 1);
}
