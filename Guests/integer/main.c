/* Integer instructions over edge values: results and flags against models that work bit by bit, or in decimal. */
#include "integer.h"

const char guest_name[] = "integer";

const u32 edges[EDGES] = {
    0, 1, 2, 7, 8, 0x0F, 0x10, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x55555555, 0x7FFFFFFF, 0x80000000, 0xDEADBEEF,
    0xFFFFFFFF,
};

u32 sign_zero_parity(u32 value, u32 width) {
    u32 ones = 0, any = 0;
    for (u32 i = 0; i < width; i++) any |= value >> i & 1;
    for (u32 i = 0; i < 8; i++) ones += value >> i & 1;
    return (value >> (width - 1) & 1 ? EFLAGS_SF : 0) | (any ? 0 : EFLAGS_ZF) | (ones & 1 ? 0 : EFLAGS_PF);
}

void guest_main(void) {
    arithmetic();
    shifts();
    multiplication();
    decimal();
    bits();
    conditions();
    strings();
    moves();
}
