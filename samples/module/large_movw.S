/* SPDX-License-Identifier: MIT */
/*
 * The large code model as compilers other than GCC write it: every address is built by a group of four
 * MOVZ/MOVK, so that there is neither ADRP nor a literal pool. Calls stay BL.
 */
	.macro	address register, symbol, addend=0
	movz	\register, #:abs_g0_nc:\symbol + \addend
	movk	\register, #:abs_g1_nc:\symbol + \addend
	movk	\register, #:abs_g2_nc:\symbol + \addend
	movk	\register, #:abs_g3:\symbol + \addend
	.endm

	.macro	function name
	.balign	4
	.globl	\name
	.type	\name, %function
\name:
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	.endm

	.macro	endfunction name
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret
	.size	\name, . - \name
	.endm

	.text
function movw_total
	address	x19, sample_ticks
	ldr	x0, [x19]
	bl	mix64
	address	x1, total
	str	x0, [x1, #8]
	address	x1, total, 16
	str	x0, [x1]
	bl	reverse_bits
	address	x19, __per_cpu_offset, 8
	ldr	x1, [x19]
	add	x0, x0, x1
	bl	count_bits
endfunction movw_total

function movw_queue
	address	x0, main_queue
	bl	queue_length
	mov	x19, x0
	address	x0, main_queue
	address	x1, node
	bl	queue_push
	address	x0, name
	bl	strlen
	add	x0, x0, x19
endfunction movw_queue

	.globl	movw_tail
	.type	movw_tail, %function
movw_tail:
	address	x0, main_queue
	b	queue_peek
	.size	movw_tail, . - movw_tail

	.section .init.text, "ax"
function init_module
	bl	movw_total
	bl	movw_queue
	address	x0, format
	address	x1, name
	bl	sample_print
	address	x0, main_queue
	bl	queue_pop
	mov	w0, wzr
endfunction init_module

	.section .exit.text, "ax"
function cleanup_module
	address	x0, name
	bl	sample_print
endfunction cleanup_module

	.section .rodata, "a"
name:
	.asciz	"large_movw"
format:
	.asciz	"%s\n"

	.data
	.balign	8
node:
	.quad	node, node
	.quad	movw_tail

	.bss
	.balign	8
total:
	.skip	32
