/* SPDX-License-Identifier: MIT */
/*
 * The sample kernel's memory: the segments of arch/arm64's image in their order, with the symbols that
 * bound them. TEXT_ADDRESS and SEGMENT_ALIGN come from the build script.
 *
 * Each segment is a program header of its own, so that the ELF file is not padded to SEGMENT_ALIGN.
 */
ENTRY(_text)

PHDRS
{
	head PT_LOAD FLAGS(5);
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	inittext PT_LOAD FLAGS(5);
	initdata PT_LOAD FLAGS(6);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	/DISCARD/ : {
		*(.interp .dynamic .dynsym .dynstr .hash .gnu.hash .gnu.version*)
		*(.note.GNU-stack .comment)
	}

	. = TEXT_ADDRESS;
	.head.text : {
		_text = .;
		KEEP(*(.head.text))
	} :head

	. = ALIGN(SEGMENT_ALIGN);
	.text : {
		_stext = .;
		*(.text .text.*)
	} :text

	. = ALIGN(SEGMENT_ALIGN);
	_etext = .;
	.rodata : {
		__start_rodata = .;
		*(.rodata .rodata.*)
		. = ALIGN(8);
		*(.data..ro_after_init)
	} :rodata
	.got : { *(.got) } :rodata
	.got.plt : { *(.got.plt) } :rodata
	__ksymtab : ALIGN(8) {
		__start___ksymtab = .;
		KEEP(*(SORT(___ksymtab+*)))
		__stop___ksymtab = .;
	} :rodata
	__ksymtab_gpl : ALIGN(8) {
		__start___ksymtab_gpl = .;
		KEEP(*(SORT(___ksymtab_gpl+*)))
		__stop___ksymtab_gpl = .;
	} :rodata
	__ksymtab_strings : {
		*(__ksymtab_strings)
	} :rodata
	. = ALIGN(4096);
	__end_rodata = .;

	. = ALIGN(SEGMENT_ALIGN);
	__init_begin = .;
	__inittext_begin = .;
	.init.text : {
		_sinittext = .;
		*(.init.text)
		_einittext = .;
	} :inittext

	. = ALIGN(SEGMENT_ALIGN);
	__inittext_end = .;
	__initdata_begin = .;
	.init.data : {
		*(.init.data)
	} :initdata
	.data..percpu : ALIGN(64) {
		__per_cpu_load = .;
		__per_cpu_start = .;
		*(.data..percpu)
		__per_cpu_end = .;
	} :initdata
	.rela.dyn : ALIGN(8) {
		__rela_start = .;
		*(.rela .rela*)
		__rela_end = .;
	} :initdata
	.relr.dyn : ALIGN(8) {
		__relr_start = .;
		*(.relr.dyn)
		__relr_end = .;
	} :initdata

	. = ALIGN(SEGMENT_ALIGN);
	__initdata_end = .;
	__init_end = .;
	_data = .;
	_sdata = .;
	.data : {
		*(.data .data.*)
		. = ALIGN(512);
	} :data
	_edata = .;

	.bss : ALIGN(64) {
		__bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
		swapper_pg_dir = .;
		. += 4096;
		__bss_stop = .;
	} :data

	. = ALIGN(SEGMENT_ALIGN);
	_end = .;
}

ASSERT(SIZEOF(.plt) == 0, "the kernel needs a PLT")
