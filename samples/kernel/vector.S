/* SPDX-License-Identifier: MIT */
/*
 * 192 tiny functions and the table of their addresses: a run of relocations long enough to find in a raw
 * image, several full RELR bitmaps, and enough symbols for more than one kallsyms marker (one per 256).
 */
	.altmacro
	.macro	vector n
	.type	vector_\n, %function
vector_\n:
	mov	w0, #\n
	ret
	.size	vector_\n, 8
	.pushsection .rodata, "a"
	.quad	vector_\n
	.popsection
	.endm

	.pushsection .rodata, "a"
	.balign	8
	.globl	vector_table
	.type	vector_table, %object
vector_table:
	.popsection

	.text
	.balign	4
	.set	.Ln, 0
	.rept	192
	vector	%.Ln
	.set	.Ln, .Ln + 1
	.endr

	.pushsection .rodata, "a"
	.size	vector_table, . - vector_table
	.popsection

#ifdef LONG_NAMES
	// Longer than 127 tokens when compressed, as mangled names can be: kallsyms then writes two length bytes.
	.type	_RNvNp1b9aYq0qpKITfJwlTLZ5fkRjmAQep2NQXYF3p6W0rnPxiL7WFMhec6NzUWY0b6R5WacJ7vM5rFeuILl5BeWV9RtXOfWEhqOes5gzWy6hBh8t7AghX1Q3ua7JoeYmeL00CO1T9IB295UNKXSmA5ToKCpwmvXZbolJdVKCBKRrYtccC53uViLlrpzhsO34JHvYCRbLGcgw044VR4y1f8pK9HksJfiCAUhrfGJ3XmC2lr5evS7xdzDr0Ygr5Fn7M5wrnpMbYAeemhWzumG7VEd7GaU9psOL6sLJklBMRR, %function
_RNvNp1b9aYq0qpKITfJwlTLZ5fkRjmAQep2NQXYF3p6W0rnPxiL7WFMhec6NzUWY0b6R5WacJ7vM5rFeuILl5BeWV9RtXOfWEhqOes5gzWy6hBh8t7AghX1Q3ua7JoeYmeL00CO1T9IB295UNKXSmA5ToKCpwmvXZbolJdVKCBKRrYtccC53uViLlrpzhsO34JHvYCRbLGcgw044VR4y1f8pK9HksJfiCAUhrfGJ3XmC2lr5evS7xdzDr0Ygr5Fn7M5wrnpMbYAeemhWzumG7VEd7GaU9psOL6sLJklBMRR:
	ret
#endif
