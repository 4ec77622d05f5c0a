/* Memory streaming: copies and fills by REP and by loops, aligned and not. */
#include "compute.h"

const char guest_name[] = "compute-stream";
const u32 expected_checksum = 0x2EA0D970;

enum { BYTES = 1 << 20, PASSES = 40 };
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

u32 compute(void) {
    u32 state = 123456789, checksum = 0;
    for (u32 i = 0; i < BYTES; i++) from[i] = (u8)random_next(&state);
    for (u32 pass = 0; pass < PASSES; pass++) {
        rep_copy(to, from, BYTES / 4);
        rep_copy_bytes(to + pass % 4, from + 3, BYTES / 2);
        loop_copy((u32 *)(to + BYTES / 2), (u32 *)from, BYTES / 8);
        rep_fill(to + BYTES / 4 + pass, pass * 0x01010101, BYTES / 64);
        checksum ^= loop_sum((u32 *)to, BYTES / 4);
        from[pass * 97] ^= (u8)checksum;
    }
    return checksum;
}
