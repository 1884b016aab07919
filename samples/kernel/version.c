/* SPDX-License-Identifier: MIT */
/* The banner and the string modules are matched against. Fixed text: a rebuild has the same bytes. */
#include "kernel.h"

const char linux_banner[] = "Linux version " RELEASE " (samples@kaslrkit) (aarch64-linux-gnu-gcc) #1 " BUILD_FLAGS "\n";
const char vermagic[] = VERMAGIC;
