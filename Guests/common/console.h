/* COM1, polled, and just enough formatting: %s %u (decimal) %x (hexadecimal with 0x) %c. */
#pragma once
#include "types.h"

void console_init(void);
void print(const char *format, ...);
/* Formats into `to`, which must be large enough, and returns its new end. */
char *format(char *to, const char *format, ...);
