/* SPDX-License-Identifier: MIT */
/* The exports of word.S: the records are written by a C macro. */
#include "kernel.h"

EXPORT_SYMBOL(copy_words);
EXPORT_SYMBOL(clear_words);
EXPORT_SYMBOL(sum_words);
EXPORT_SYMBOL(read_ticks);
EXPORT_SYMBOL(spin_ticks);
EXPORT_SYMBOL(full_barrier);
