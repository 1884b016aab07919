/* SPDX-License-Identifier: MIT */
/*
 * Every relocation type the arm64 module loader knows, once at least, with values that are in range wherever
 * the module is loaded. GNU as can express them all: through an operator, or with `.reloc` (types 0, 256 and
 * 262). Targets are global symbols or lie in another section, or it would resolve them itself.
 */
	.text
	.globl	every_relocation
	.type	every_relocation, %function
every_relocation:
	// 275-278, 284-286, 299: pages and the low 12 bits
	adrp	x0, sample_ticks			// ADR_PREL_PG_HI21
	add	x0, x0, :lo12:sample_ticks		// ADD_ABS_LO12_NC
	adrp	x1, :pg_hi21_nc:table			// ADR_PREL_PG_HI21_NC
	ldrb	w2, [x1, :lo12:table + 1]		// LDST8_ABS_LO12_NC
	ldrh	w2, [x1, :lo12:table + 2]		// LDST16_ABS_LO12_NC
	ldr	w2, [x1, :lo12:table + 4]		// LDST32_ABS_LO12_NC
	ldr	x2, [x1, :lo12:table + 8]		// LDST64_ABS_LO12_NC
	ldr	q2, [x1, :lo12:table + 16]		// LDST128_ABS_LO12_NC

	// 263-269: unsigned, checked where not _NC
	movz	x3, #:abs_g0:fits_16			// MOVW_UABS_G0
	movz	x3, #:abs_g1:fits_32			// MOVW_UABS_G1
	movk	x3, #:abs_g0_nc:fits_32			// MOVW_UABS_G0_NC
	movz	x3, #:abs_g2:fits_48			// MOVW_UABS_G2
	movk	x3, #:abs_g1_nc:fits_48			// MOVW_UABS_G1_NC
	movz	x3, #:abs_g3:main_queue			// MOVW_UABS_G3
	movk	x3, #:abs_g2_nc:main_queue		// MOVW_UABS_G2_NC
	movk	x3, #:abs_g1_nc:main_queue
	movk	x3, #:abs_g0_nc:main_queue

	// 270-272: signed, MOVZ or MOVN by the sign
	movz	x4, #:abs_g0_s:minus_16			// MOVW_SABS_G0
	movz	x4, #:abs_g0_s:minus_16 + 0x2000
	movz	x4, #:abs_g1_s:minus_32			// MOVW_SABS_G1
	movz	x4, #:abs_g1_s:minus_32 + 0x20000000
	movz	x4, #:abs_g2_s:minus_48			// MOVW_SABS_G2
	movz	x4, #:abs_g2_s:main_queue

	// 287-293: place-relative, MOVZ or MOVN where not _NC
	movz	x5, #:prel_g0:later			// MOVW_PREL_G0
	movz	x5, #:prel_g0:every_relocation
	movz	x5, #:prel_g1:later			// MOVW_PREL_G1
	movk	x5, #:prel_g0_nc:later			// MOVW_PREL_G0_NC
	movz	x5, #:prel_g2:main_queue		// MOVW_PREL_G2
	movk	x5, #:prel_g1_nc:main_queue		// MOVW_PREL_G1_NC
	movz	x5, #:prel_g3:main_queue		// MOVW_PREL_G3
	movk	x5, #:prel_g2_nc:main_queue		// MOVW_PREL_G2_NC

	// 273, 274, 279, 280, 282, 283: instructions that reach a label
	ldr	x6, later				// LD_PREL_LO19
	adr	x6, later				// ADR_PREL_LO21
	tbz	x6, #3, later				// TSTBR14
	b.ne	later					// CONDBR19
	cbz	x6, every_relocation			// CONDBR19, backwards
	bl	mix64					// CALL26
	b	swap_bytes				// JUMP26

	.globl	later
	.type	later, %function
later:
	ret
	// 0 and 256: the place is left alone
	.reloc	., R_AARCH64_NONE
	nop
	.reloc	., R_AARCH64_NULL
	nop
	.size	every_relocation, . - every_relocation

	// 257-262: data
	.section .rodata, "a"
	.balign	8
	.globl	places
	.type	places, %object
places:
	.quad	main_queue				// ABS64
	.quad	later - .				// PREL64
	.long	fits_32					// ABS32
	.long	later - .				// PREL32
	.short	fits_16					// ABS16
	.reloc	., R_AARCH64_PREL16, places		// (as `places - .` it would be a constant)
	.short	0
	.balign	8
	.size	places, . - places

	.data
	.balign	16
table:
	.quad	every_relocation, places, table, main_queue

	.section .init.text, "ax"
	.globl	init_module
	.type	init_module, %function
init_module:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	every_relocation
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
