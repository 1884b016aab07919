/* SPDX-License-Identifier: MIT */
/*
 * What `ld -r` gathers into one section for a module, and the sections the loader fills: the PLTs and, since
 * ftrace uses them, the trampoline slots. One byte each makes them exist; the loader sets their size.
 */
SECTIONS
{
	/DISCARD/ : { *(.comment) }

	__ksymtab 0 : { *(SORT(___ksymtab+*)) }
	__ksymtab_gpl 0 : { *(SORT(___ksymtab_gpl+*)) }

	.plt 0 : { BYTE(0) }
	.init.plt 0 : { BYTE(0) }
#ifdef FTRACE_TRAMPOLINE
	.text.ftrace_trampoline 0 : { BYTE(0) }
#endif
}
