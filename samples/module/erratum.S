/* SPDX-License-Identifier: MIT */
/*
 * Erratum 843419: ADRPs in the last two words of a page. With the workaround on, the loader turns those whose
 * target is within 1 MiB into ADR and sends the others through a veneer in the PLT. An ADRP that is safe at
 * some alignment up to a page makes it raise the section's sh_addralign; the one at 0x7f8 asks for a page,
 * so the offsets below hold in memory too.
 */
	.macro	page_adrp offset, operand
	.fill	(\offset - (. - text)) / 4, 4, 0xd503201f	// NOP
	adrp	x0, \operand
	.endm

	.text
	.globl	erratum_pages
	.type	erratum_pages, %function
erratum_pages:
text:
	page_adrp 0x3f8, table				// safe if aligned to 2 KiB
	ldr	x1, [x0, :lo12:table]
	page_adrp 0x7f8, table				// safe if aligned to 4 KiB
	ldr	x1, [x0, :lo12:table]
	page_adrp 0xff8, main_queue			// far: a veneer
	page_adrp 0xffc, table				// near: ADR
	ldr	x1, [x0, :lo12:table]
	page_adrp 0x1ff8, counters			// near
	str	x1, [x0, :lo12:counters]
	page_adrp 0x2000, sample_ticks			// first word of a page: safe
	ldr	x2, [x0, :lo12:sample_ticks]
	page_adrp 0x2ff8, :pg_hi21_nc:sample_ticks	// far, type 276
	page_adrp 0x2ffc, table + 0x200000		// far, though the symbol is the module's own
	add	x0, x1, x2
	b	mix64
	.size	erratum_pages, . - erratum_pages

	.section .init.text, "ax"
	.globl	init_module
	.type	init_module, %function
init_module:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	erratum_pages
	adrp	x1, counters
	str	x0, [x1, :lo12:counters]
	mov	w0, wzr
	ldp	x29, x30, [sp], #16
	ret
	.size	init_module, . - init_module

	.section .exit.text, "ax"
	.globl	cleanup_module
	.type	cleanup_module, %function
cleanup_module:
	ret
	.size	cleanup_module, . - cleanup_module

	.data
	.balign	8
table:
	.quad	erratum_pages, main_queue

	.bss
	.balign	8
counters:
	.skip	64
