#include "guest.h"

/* Written with string instructions: a C loop here would be compiled into a call of itself. */
void *memcpy(void *to, const void *from, u32 count) {
    void *d = to;
    asm volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(count) : : "memory");
    return to;
}

void *memset(void *to, int value, u32 count) {
    void *d = to;
    asm volatile("rep stosb" : "+D"(d), "+c"(count) : "a"(value) : "memory");
    return to;
}

void *memmove(void *to, const void *from, u32 count) {
    if ((u32)to - (u32)from >= count) return memcpy(to, from, count);
    void *d = (u8 *)to + count - 1;
    const void *s = (const u8 *)from + count - 1;
    asm volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, u32 count) {
    const u8 *x = a, *y = b;
    for (u32 i = 0; i < count; i++)
        if (x[i] != y[i]) return x[i] - y[i];
    return 0;
}

bool string_equal(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}
