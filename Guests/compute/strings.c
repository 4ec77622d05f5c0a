/* Text: scanning, comparing and counting words, by string instructions and by byte loops. */
#include "compute.h"

const char guest_name[] = "compute-strings";
const u32 expected_checksum = 0x4C508FC6;

enum { BYTES = 1 << 15 };
static char text[BYTES + 1];

static u32 scan_length(const char *s) {
    const char *end = s;
    unsigned long left = ~0ul;
    __asm__ volatile("repne scasb" : "+D"(end), "+c"(left) : "a"(0) : "memory", "cc");
    return (u32)(end - s) - 1;
}

/* How many bytes are alike. */
static u32 compare(const char *a, const char *b, u32 bytes) {
    const char *begin = a;
    unsigned long left = bytes;
    __asm__ volatile("repe cmpsb" : "+S"(a), "+D"(b), "+c"(left) : : "memory", "cc");
    return (u32)(a - begin);
}

__attribute__((noinline)) static u32 count_words(const char *s) {
    u32 words = 0, inside = 0, hash = 0;
    for (; *s; s++) {
        u32 letter = *s != ' ';
        words += letter && !inside;
        inside = letter;
        hash = hash * 33 + (u8)*s;
    }
    return words ^ hash;
}

void prepare(void) {
    u32 state = 362436069;
    for (u32 i = 0; i < BYTES; i++) {
        u32 r = random_next(&state) >> 24;
        text[i] = r < 40 ? ' ' : (char)('a' + r % 26);
    }
}

u32 compute(u32 units) {
    u32 checksum = 0;
    for (u32 unit = 0; unit < units; unit++) {
        text[unit * 4001 % BYTES] = (char)('A' + unit % 26);
        checksum = checksum * 31 + scan_length(text + unit % 64);
        checksum = checksum * 31 + count_words(text);
        for (u32 i = 0; i + 512 < BYTES; i += 512) checksum += compare(text + i, text + i + 256, 256);
    }
    return checksum;
}
