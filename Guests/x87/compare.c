/* FCOM and its kin, FTST, FXAM, FCOMI, FCMOV. */
#include "x87.h"

static const u32 one = 0x3F800000, two = 0x40000000, nan = 0x7FC00000;
static u16 sw;

static void orders(void) {
    static const struct { const char *name; const u32 *a, *b; u32 conditions, flags; } table[] = {
        {"greater", &two, &one, 0, 0}, {"less", &one, &two, C0, EFLAGS_CF}, {"equal", &two, &two, C3, EFLAGS_ZF},
        {"unordered", &nan, &one, CONDITIONS, EFLAGS_CF | EFLAGS_ZF | EFLAGS_PF},
    };
    bool cmov = cpu_has(CPU_CMOV);
    for (u32 i = 0; i < length_of(table); i++) {
        char name[64];
        u32 flags, invalid = i == 3 ? IE : 0;
        asm volatile("fninit; flds %1; fcoms %2; fnstsw %0" : "=m"(sw) : "m"(*table[i].a), "m"(*table[i].b));
        format(name, "FCOM m32, %s", table[i].name);
        check(name, sw & (CONDITIONS | ERRORS), table[i].conditions | invalid);
        asm volatile("fninit; flds %2; flds %1; fucompp; fnstsw %0" : "=m"(sw) : "m"(*table[i].a), "m"(*table[i].b));
        format(name, "FUCOMPP, %s: quiet", table[i].name);
        check(name, sw & (CONDITIONS | ERRORS | 0x3800), table[i].conditions);
        asm volatile("fninit; flds %2; flds %1; fcompp; fnstsw %%ax; sahf; pushfl; popl %0"
                     : "=r"(flags) : "m"(*table[i].a), "m"(*table[i].b) : "eax", "cc");
        format(name, "FCOMPP, FNSTSW AX, SAHF, %s", table[i].name);
        check(name, flags & (EFLAGS_CF | EFLAGS_ZF | EFLAGS_PF), table[i].flags);
        if (!cmov) continue;
        asm volatile("fninit; flds %3; flds %2; fcomi %%st(1), %%st; pushfl; popl %0; fnstsw %1"
                     : "=r"(flags), "=m"(sw) : "m"(*table[i].a), "m"(*table[i].b) : "cc");
        format(name, "FCOMI, %s", table[i].name);
        check(name, flags & EFLAGS_STATUS & ~EFLAGS_AF, table[i].flags);
        format(name, "FCOMI, %s: errors", table[i].name);
        check(name, sw & ERRORS, invalid);
        asm volatile("fninit; flds %3; flds %2; fucomi %%st(1), %%st; pushfl; popl %0; fnstsw %1"
                     : "=r"(flags), "=m"(sw) : "m"(*table[i].a), "m"(*table[i].b) : "cc");
        format(name, "FUCOMI, %s: quiet", table[i].name);
        check(name, (flags & (EFLAGS_CF | EFLAGS_ZF | EFLAGS_PF)) | (sw & ERRORS) << 16, table[i].flags);
    }
    if (!cmov) return skip("FCOMI and FCMOVcc", "CMOV");
    u32 result;
    asm volatile("fninit; flds %1; flds %2; stc; fcmovb %%st(1), %%st; fstps %0" : "=m"(result) : "m"(two), "m"(one) : "cc");
    check("FCMOVB with CF moves", result, two);
    asm volatile("fninit; flds %1; flds %2; stc; fcmovnb %%st(1), %%st; fstps %0" : "=m"(result) : "m"(two), "m"(one) : "cc");
    check("FCMOVNB with CF does not", result, one);
}

static void classes(void) {
    static const struct extended values[] = {
        {0, 0, 0}, {0, 0, 0x8000}, {0, 0x80000000, 0x3FFF}, {0, 0x80000000, 0xBFFF}, {0, 0x80000000, 0x7FFF},
        {0, 0x80000000, 0xFFFF}, {0, 0xC0000000, 0x7FFF}, {1, 0, 0}, {0, 0x40000000, 0x3FFF},
    };
    static const struct { const char *name; u32 conditions; } expected[] = {
        {"+0", C3}, {"-0", C3 | C1}, {"1", C2}, {"-1", C2 | C1}, {"+infinity", C2 | C0}, {"-infinity", C2 | C0 | C1}, {"NaN", C0},
        {"denormal", C3 | C2}, {"unnormal, which is unsupported", 0},
    };
    for (u32 i = 0; i < length_of(values); i++) {
        char name[64];
        asm volatile("fninit; fldt %1; fxam; fnstsw %0" : "=m"(sw) : "m"(values[i]));
        format(name, "FXAM of %s", expected[i].name);
        check(name, sw & (CONDITIONS | C1), expected[i].conditions);
    }
    asm volatile("fninit; fxam; fnstsw %0" : "=m"(sw));
    check("FXAM of an empty register", sw & CONDITIONS, C3 | C0);
    asm volatile("fninit; fld1; fchs; ftst; fnstsw %0" : "=m"(sw));
    check("FTST of -1", sw & (CONDITIONS | ERRORS), C0);
}

void comparisons(void) {
    orders();
    classes();
}
