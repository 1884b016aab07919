/* SPDX-License-Identifier: MIT */
/*
 * Instructions that may fault, with __ex_table entries: place-relative {instruction, fixup}, and since 5.16 a
 * type and data (type 3: two register numbers, here 31 and 31, WZR). The entries stand in descending order of
 * address, so the loader has to sort them.
 */
	.macro	fixup from, to
	.pushsection __ex_table, "a"
	.balign	4
	.long	\from - .
	.long	\to - .
#ifdef EXTABLE_TYPE
	.short	EXTABLE_TYPE, 0x3ff
#endif
	.popsection
	.endm

	.text
	.balign	4
	.globl	load_or
	.type	load_or, %function
load_or:
	mov	x2, x0
1:	ldr	x0, [x2]
	ret
	.size	load_or, . - load_or

	.globl	store_or
	.type	store_or, %function
store_or:
2:	str	x1, [x0]
3:	ldr	x0, [x0]
	ret
	.size	store_or, . - store_or

7:	mov	x0, x1
	ret
8:	mov	x0, #-14
	ret

	fixup	3b, 8b
	fixup	2b, 8b
	fixup	1b, 7b
