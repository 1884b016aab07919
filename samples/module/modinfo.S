/* SPDX-License-Identifier: MIT */
/*
 * What a module says of itself: .modinfo, struct module, and with modversions the checksums of what it
 * imports. THIS_MODULE_SIZE, _INIT and _EXIT are the size of struct module and the places of its two
 * function pointers; they differ by kernel version and configuration.
 */
	.section .modinfo, "a"
	.asciz	"license=MIT"
	.asciz	"depends=" MODULE_DEPENDS
	.asciz	"intree=Y"
	.asciz	"name=" MODULE_NAME
	.asciz	"vermagic=" VERMAGIC

	.section .gnu.linkonce.this_module, "aw"
	.balign	64
	.globl	__this_module
	.type	__this_module, %object
	.size	__this_module, THIS_MODULE_SIZE
__this_module:
	.skip	24
	.asciz	MODULE_NAME
	.org	__this_module + THIS_MODULE_INIT
	.quad	init_module
	.org	__this_module + THIS_MODULE_EXIT
	.quad	cleanup_module
	.org	__this_module + THIS_MODULE_SIZE

#ifdef MODULE_VERSIONS
	// Records of 64 bytes: {u64 checksum, name}.
	.section __versions, "a"
	.balign	8
	.macro	version name, checksum
0:	.quad	\checksum
	.asciz	"\name"
	.org	0b + 64
	.endm
#include MODULE_VERSIONS
#endif
