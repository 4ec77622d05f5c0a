/* String instructions: widths, directions, repetition, what remains in the registers. */
#include "integer.h"

static u8 from[64], to[64];

static void prepare(void) {
    for (u32 i = 0; i < 64; i++) from[i] = i + 1, to[i] = 0xEE;
}

/* Bytes [begin, begin + length) of `to` are those of `from`, shifted by `shift`; the others are untouched. */
static bool copied(u32 begin, u32 length) {
    for (u32 i = 0; i < 64; i++)
        if (to[i] != (i >= begin && i < begin + length ? from[i] : 0xEE)) return false;
    return true;
}

static void copies(void) {
    static const struct { const char *name; u32 size; } sizes[] = {{"MOVSB", 1}, {"MOVSW", 2}, {"MOVSD", 4}};
    for (u32 i = 0; i < 3; i++)
        for (u32 down = 0; down < 2; down++) {
            u32 size = sizes[i].size, ecx = 5, begin = down ? 40 : 8;
            u8 *d = to + begin, *s = from + begin;
            char name[64];
            prepare();
            if (down) asm volatile("std");
            if (size == 1) asm volatile("rep movsb; cld" : "+D"(d), "+S"(s), "+c"(ecx) : : "memory");
            else if (size == 2) asm volatile("rep movsw; cld" : "+D"(d), "+S"(s), "+c"(ecx) : : "memory");
            else asm volatile("rep movsl; cld" : "+D"(d), "+S"(s), "+c"(ecx) : : "memory");
            format(name, "REP %s %s: memory", sizes[i].name, down ? "down" : "up");
            check(name, copied(down ? begin - 4 * size : begin, 5 * size), true);
            format(name, "REP %s %s: registers", sizes[i].name, down ? "down" : "up");
            i32 moved = down ? -5 * (i32)size : 5 * (i32)size;
            check(name, ecx == 0 && d - (to + begin) == moved && s - (from + begin) == moved, true);
        }
    prepare();
    u8 *d = to, *s = from;
    u32 ecx = 0;
    asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(ecx) : : "memory");
    check("REP with ECX = 0 does nothing", d == to && s == from && copied(0, 0), true);
    prepare();
    d = from + 1, s = from, ecx = 20; /* overlap, upwards: the first byte spreads */
    asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(ecx) : : "memory");
    check("REP MOVSB over its own source spreads a byte", from[0] == 1 && from[10] == 1 && from[20] == 1 && from[21] == 22, true);
    prepare();
    d = to + 8, ecx = 3;
    asm volatile("rep stosl" : "+D"(d), "+c"(ecx) : "a"(0x04030201) : "memory");
    check("REP STOSD: memory", to[7] == 0xEE && to[8] == 1 && to[19] == 4 && to[20] == 0xEE, true);
    check("REP STOSD: registers", ecx == 0 && d == to + 20, true);
    u32 eax = 0xAABBCCDD;
    s = from + 2;
    asm volatile("lodsb" : "+a"(eax), "+S"(s));
    check("LODSB", eax == 0xAABBCC03 && s == from + 3, true);
    asm volatile("lodsw" : "+a"(eax), "+S"(s));
    check("LODSW", eax == 0xAABB0504 && s == from + 5, true);
    /* 16-bit addresses: only SI, DI and CX count, and only they change. */
    memset((void *)0x9000, 0, 16);
    *(volatile u32 *)0x9000 = 0x44332211;
    u32 esi = 0xABCD9000, edi = 0x12349008;
    ecx = 0x77770004;
    asm volatile("addr16 rep movsb" : "+S"(esi), "+D"(edi), "+c"(ecx) : : "memory");
    check("16-bit REP MOVSB: memory", *(volatile u32 *)0x9008, 0x44332211);
    check("16-bit REP MOVSB: upper halves stay", esi == 0xABCD9004 && edi == 0x1234900C && ecx == 0x77770000, true);
}

static void comparisons(void) {
    u32 ecx, flags;
    u8 *d, *s;
    prepare();
    memcpy(to, from, 64);
    to[30] = 0x80;
    d = to, s = from, ecx = 64;
    asm volatile("repe cmpsb; pushfl; popl %3" : "+D"(d), "+S"(s), "+c"(ecx), "=r"(flags) : : "cc", "memory");
    check("REPE CMPSB stops after the difference", s == from + 31 && d == to + 31 && ecx == 33, true);
    check("REPE CMPSB: flags are those of 0x1F - 0x80", flags & EFLAGS_STATUS, EFLAGS_CF | EFLAGS_OF | EFLAGS_SF | EFLAGS_PF);
    d = to, s = from, ecx = 7;
    asm volatile("repe cmpsl; pushfl; popl %3" : "+D"(d), "+S"(s), "+c"(ecx), "=r"(flags) : : "cc", "memory");
    check("REPE CMPSD of equal memory", ecx == 0 && s == from + 28 && flags & EFLAGS_ZF, true);
    d = from, ecx = 100;
    asm volatile("repne scasb; pushfl; popl %2" : "+D"(d), "+c"(ecx), "=r"(flags) : "a"(10) : "cc", "memory");
    check("REPNE SCASB stops after the byte", d == from + 10 && ecx == 90 && flags & EFLAGS_ZF, true);
    d = from, ecx = 10;
    asm volatile("repne scasb; pushfl; popl %2" : "+D"(d), "+c"(ecx), "=r"(flags) : "a"(0x70) : "cc", "memory");
    check("REPNE SCASB without the byte", d == from + 10 && ecx == 0 && !(flags & EFLAGS_ZF), true);
    memset(to, 0x5A, 64);
    to[21] = 0;
    d = to + 40, ecx = 100;
    asm volatile("std; repe scasb; pushfl; popl %2; cld" : "+D"(d), "+c"(ecx), "=r"(flags) : "a"(0x5A) : "cc", "memory");
    check("REPE SCASB down", d == to + 20 && ecx == 80, true);
    ecx = 0, d = to;
    asm volatile("cmpl %3, %3; repne scasb; pushfl; popl %2" : "+D"(d), "+c"(ecx), "=&r"(flags) : "r"(1), "a"(0) : "cc", "memory");
    check("REPNE SCASB with ECX = 0 leaves the flags", flags & EFLAGS_ZF, EFLAGS_ZF);
}

void strings(void) {
    copies();
    comparisons();
}
