/* Memory streaming: copies and fills by REP and by loops, aligned and not. */
#include "compute.h"

const char guest_name[] = "compute-stream";
const u32 expected_checksum = 0xD3BDE811;

enum { BYTES = 1 << 20, PART = BYTES / 8 }; /* a unit works on an eighth of the buffers */
static u8 from[BYTES + 16], to[BYTES + 16];

static void rep_copy(u8 *d, const u8 *s, u32 words) {
    __asm__ volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
}
static void rep_copy_bytes(u8 *d, const u8 *s, u32 bytes) {
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(bytes) : : "memory");
}
static void rep_fill(u8 *d, u32 value, u32 words) {
    __asm__ volatile("rep stosl" : "+D"(d), "+c"(words) : "a"(value) : "memory");
}
__attribute__((noinline)) static void loop_copy(volatile u32 *d, const volatile u32 *s, u32 words) {
    for (u32 i = 0; i < words; i++) d[i] = s[i];
}
__attribute__((noinline)) static u32 loop_sum(const volatile u32 *s, u32 words) {
    u32 sum = 0;
    for (u32 i = 0; i < words; i++) sum = sum * 3 + s[i];
    return sum;
}

void prepare(void) {
    u32 state = 123456789;
    for (u32 i = 0; i < BYTES; i++) from[i] = (u8)random_next(&state);
}

u32 compute(u32 units) {
    u32 checksum = 0;
    for (u32 unit = 0; unit < units; unit++) {
        u8 *s = from + unit % 8 * PART, *d = to + (unit + 1) % 8 * PART;
        rep_copy(d, s, PART / 4);
        rep_copy_bytes(d + unit % 4, s + 3, PART / 2);
        loop_copy((u32 *)(d + PART / 2), (u32 *)s, PART / 8);
        rep_fill(d + PART / 4 + unit % 64, unit * 0x01010101, PART / 64);
        checksum ^= loop_sum((u32 *)d, PART / 4);
        s[unit * 97 % PART] ^= (u8)checksum;
    }
    return checksum;
}
