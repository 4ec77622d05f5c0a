/* The transcendental instructions: within 2^-50 of the true value, whose double is given (SDM 1 8.3.10 promises far better). */
#include "x87.h"

/* |a - b| in units of 2^-50. */
static u32 distance(const u32 a[2], const u32 b[2]) {
    i32 units;
    static const u32 scale = 0x58800000; /* 2^50 */
    asm volatile("fninit; fldl %1; fsubl %2; fabs; fmuls %3; fistpl %0"
                 : "=m"(units) : "m"(*(const u64 *)a), "m"(*(const u64 *)b), "m"(scale));
    return (u32)units;
}

static const u32 half = 0x3F000000, three = 0x40400000, quarter = 0x3E800000;

#define TRUE_VALUE(name, code, high, low)                                                          \
    do {                                                                                           \
        u32 got[2], expected[2] = {low, high};                                                     \
        asm volatile("fninit; " code "; fstpl %0" : "=m"(got) : "m"(half), "m"(three), "m"(quarter)); \
        char text[64];                                                                             \
        format(text, "%x:%x is off by %u", got[1], got[0], distance(got, expected));               \
        check_string(name, distance(got, expected) <= 1 ? "near" : text, "near");                  \
    } while (0)

void transcendental(void) {
    TRUE_VALUE("FSIN of 0.5", "flds %1; fsin", 0x3FDEAEE8, 0x744B05F0);
    TRUE_VALUE("FCOS of 0.5", "flds %1; fcos", 0x3FEC1528, 0x065B7D50);
    TRUE_VALUE("FSINCOS of 3: the sine", "flds %2; fsincos; fstp %%st(0)", 0x3FC21038, 0x6DB6D55B);
    TRUE_VALUE("FPTAN of 0.5", "flds %1; fptan; fstp %%st(0)", 0x3FE17B4F, 0x5BF3474A);
    TRUE_VALUE("FPATAN of 0.5 / 3", "flds %1; flds %2; fpatan", 0x3FC52397, 0x843C9ADD);
    TRUE_VALUE("F2XM1 of 0.5", "flds %1; f2xm1", 0x3FDA8279, 0x99FCEF34);
    TRUE_VALUE("FYL2X: 0.5 * log2 3", "flds %1; flds %2; fyl2x", 0x3FE95C01, 0xA39FBD68);
    TRUE_VALUE("FYL2XP1: 3 * log2 1.25", "flds %2; flds %3; fyl2xp1", 0x3FEEE7B4, 0x71B3A950);
    u16 sw;
    static const u64 far_away = 0x43F0000000000000; /* 2^64 */
    u64 kept;
    asm volatile("fninit; fldl %2; fsin; fnstsw %0; fstpl %1" : "=m"(sw), "=m"(kept) : "m"(far_away));
    check("FSIN of 2^64: C2 says it was out of range", sw & C2, C2);
    check("FSIN of 2^64 leaves it alone", kept == far_away, true);
    asm volatile("fninit; fldpi; fptan; fnstsw %0" : "=m"(sw));
    check("FPTAN pushes a one: two registers in use", sw >> 11 & 7, 6);
    asm volatile("fninit");
}
