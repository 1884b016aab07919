/* SPDX-License-Identifier: MIT */
/*
 * The arm64 Image header, as Documentation/arch/arm64/booting.rst describes it, and the entry point.
 *
 * With IMAGE_MZ the first word is an instruction whose low half reads "MZ", and a PE signature follows the
 * header: what tools meet in a kernel built with an EFI stub. There is no stub here.
 */
	.section .head.text, "ax"
	.globl	_head
_head:
#ifdef IMAGE_MZ
	.inst	IMAGE_MZ
#else
	b	primary_entry
#endif
#ifdef IMAGE_MZ
	b	primary_entry
#else
	.long	0
#endif
	.quad	TEXT_OFFSET
	// _head stands at _text, so this is place-relative and needs no relocation at boot.
	.long	_end - _head, 0
	// Bit 0: little-endian; bits 1-2: 1 = 4 KiB pages; bit 3: any 2 MiB aligned base will do.
	.quad	(1 << 1) | (1 << 3)
	.quad	0, 0, 0
	.ascii	"ARM\x64"
#ifdef IMAGE_MZ
	.long	pe_header - _head
pe_header:
	.ascii	"PE\0\0"
	.short	0xaa64			// machine: arm64
	.short	0			// sections
	.long	0, 0, 0			// time stamp, symbol table, symbols
	.short	0			// optional header
	.short	0x206			// executable, no line numbers, no debug information
#else
	.long	0
#endif

	.section .init.text, "ax"
	.globl	primary_entry
primary_entry:
	adrp	x0, init_stack_top
	add	x0, x0, :lo12:init_stack_top
	mov	sp, x0
	bl	start_kernel
1:	wfe
	b	1b

	.bss
	.balign	16
	.globl	init_stack
init_stack:
	.skip	2048
init_stack_top:
