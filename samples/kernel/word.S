/* SPDX-License-Identifier: MIT */
/* Functions written in assembly; exported in assembly.c. */
	.text

	.macro	function name
	.globl	\name
	.type	\name, %function
	.balign	4
\name:
	.endm

	.macro	endfunction name
	.size	\name, . - \name
	.endm

function copy_words
	cbz	x2, 2f
1:	ldr	x3, [x1], #8
	str	x3, [x0], #8
	sub	x2, x2, #1
	cbnz	x2, 1b
2:	ret
endfunction copy_words

function clear_words
	cbz	x1, 2f
1:	str	xzr, [x0], #8
	sub	x1, x1, #1
	cbnz	x1, 1b
2:	ret
endfunction clear_words

function sum_words
	mov	x2, x0
	mov	x0, xzr
	cbz	x1, 2f
1:	ldr	x3, [x2], #8
	add	x0, x0, x3
	sub	x1, x1, #1
	cbnz	x1, 1b
2:	ret
endfunction sum_words

function read_ticks
	isb
	mrs	x0, cntvct_el0
	ret
endfunction read_ticks

function spin_ticks
	mrs	x1, cntvct_el0
1:	mrs	x2, cntvct_el0
	sub	x2, x2, x1
	cmp	x2, x0
	b.lo	1b
	ret
endfunction spin_ticks

function full_barrier
	dsb	sy
	isb
	ret
endfunction full_barrier
