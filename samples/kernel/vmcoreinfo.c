/* SPDX-License-Identifier: MIT */
/*
 * What a crash dump says about the address space. Nothing else in an Image tells VA_BITS: it is a constant in
 * this code, moved into x2 right by the address of its name.
 */
#include "kernel.h"

extern char swapper_pg_dir[], _text[], _stext[];

#define NUMBER(name) vmcoreinfo_append_str("NUMBER(%s)=%ld\n", #name, (long)(name))
#define SYMBOL(name) vmcoreinfo_append_str("SYMBOL(%s)=%lx\n", #name, (u64)name)

void arch_crash_save_vmcoreinfo(void)
{
	NUMBER(VA_BITS);
	vmcoreinfo_append_str("KERNELOFFSET=%lx\n", (u64)_text - TEXT_ADDRESS);
	SYMBOL(swapper_pg_dir);
	SYMBOL(_stext);
}
