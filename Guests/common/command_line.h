/* The command line that a Multiboot 1 loader hands over. */
#pragma once
#include "types.h"

extern u32 multiboot_magic, multiboot_info;

/* "" if there is none (Multiboot 0.6.96, 3.3: flag 2, offset 16). */
static inline const char *command_line(void) {
    const u32 *info = (const u32 *)multiboot_info;
    return multiboot_magic == 0x2BADB002 && info && info[0] >> 2 & 1 ? (const char *)info[4] : "";
}
