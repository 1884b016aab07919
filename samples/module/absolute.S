/* SPDX-License-Identifier: MIT */
/* Absolute symbols for every_relocation.S: values that fit its checked fields wherever the module is loaded. */
	.macro	absolute name, value
	.globl	\name
	.set	\name, \value
	.endm

	absolute fits_16, 0xfedc
	absolute fits_32, 0xfedcba98
	absolute fits_48, 0xfedcba987654
	absolute minus_16, -0x1234
	absolute minus_32, -0x12345678
	absolute minus_48, -0x123456789abc
