/* The parts of libc that freestanding compilers call, and string comparison. */
#pragma once
#include "types.h"

void *memcpy(void *to, const void *from, u32 count);
void *memmove(void *to, const void *from, u32 count);
void *memset(void *to, int value, u32 count);
int memcmp(const void *a, const void *b, u32 count);
bool string_equal(const char *a, const char *b);
