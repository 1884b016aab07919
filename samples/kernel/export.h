/* SPDX-License-Identifier: MIT */
/*
 * Exported symbols as they lie in __ksymtab and __ksymtab_gpl, for the sample kernels and modules.
 *
 * Each record gets a section of its own named after the symbol, so that the linker's SORT() leaves the
 * array ordered by name. Two formats exist:
 *   KSYMTAB_ABSOLUTE   {u64 value, u64 name}, both relocated at boot: arm64 before the place-relative form
 *   otherwise          {s32 value, s32 name, s32 namespace}, each relative to its own place; the strings
 *                      are mergeable, so a name may be the end of another
 */
#ifndef SAMPLES_EXPORT_H
#define SAMPLES_EXPORT_H

#ifdef KSYMTAB_ABSOLUTE
#define KSYMTAB_STRINGS ".pushsection __ksymtab_strings, \"a\"\n"
#define KSYMTAB_NAMESPACE(name) ""
#define KSYMTAB_RECORD(name)                  \
	".balign 8\n"                         \
	"__ksymtab_" #name ":\n"              \
	".quad " #name "\n"                   \
	".quad __kstrtab_" #name "\n"
#else
#define KSYMTAB_STRINGS ".pushsection __ksymtab_strings, \"aMS\", %progbits, 1\n"
#define KSYMTAB_NAMESPACE(name) "__kstrtabns_" #name ": .asciz \"\"\n"
#define KSYMTAB_RECORD(name)                  \
	".balign 4\n"                         \
	"__ksymtab_" #name ":\n"              \
	".long " #name " - .\n"               \
	".long __kstrtab_" #name " - .\n"     \
	".long __kstrtabns_" #name " - .\n"
#endif

#define EXPORT_TO(table, name)                                  \
	asm(KSYMTAB_STRINGS                                     \
	    "__kstrtab_" #name ": .asciz \"" #name "\"\n"       \
	    KSYMTAB_NAMESPACE(name)                             \
	    ".popsection\n"                                     \
	    ".pushsection \"__" table "+" #name "\", \"a\"\n"   \
	    KSYMTAB_RECORD(name)                                \
	    ".popsection\n")

#define EXPORT_SYMBOL(name) EXPORT_TO("_ksymtab", name)
#define EXPORT_SYMBOL_GPL(name) EXPORT_TO("_ksymtab_gpl", name)

#endif
