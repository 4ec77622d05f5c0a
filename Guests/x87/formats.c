/* Loading and storing every format, with rounding and what does not fit. */
#include "x87.h"

static struct extended r;
static u16 sw;

static void loads(void) {
    static const u32 single = 0xC0490FDB; /* -pi as a float */
    static const u32 wide[2] = {0x54442D18, 0x400921FB}; /* pi as a double */
    static const i16 word = -32768;
    static const i32 doubleword = -2147483647 - 1;
    static const u32 quadword[2] = {0x89ABCDEF, 0x01234567};
    static const u8 packed[10] = {0x78, 0x56, 0x34, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12, 0x80}; /* -123456789012345678 */
    static const struct extended ten = {0x12345678, 0x9ABCDEF0, 0x4001};
    fpu(NEAREST, "flds %0", r, sw, "m"(single));
    check_extended("FLD m32", &r, 0xC000, 0xC90FDB00, 0);
    fpu(NEAREST, "fldl %0", r, sw, "m"(wide));
    check_extended("FLD m64", &r, 0x4000, 0xC90FDAA2, 0x2168C000);
    fpu(NEAREST, "fldt %0", r, sw, "m"(ten));
    check_extended("FLD m80", &r, 0x4001, 0x9ABCDEF0, 0x12345678);
    fpu(NEAREST, "filds %0", r, sw, "m"(word));
    check_extended("FILD m16", &r, 0xC00E, 0x80000000, 0);
    fpu(NEAREST, "fildl %0", r, sw, "m"(doubleword));
    check_extended("FILD m32", &r, 0xC01E, 0x80000000, 0);
    fpu(NEAREST, "fildll %0", r, sw, "m"(quadword));
    check_extended("FILD m64", &r, 0x4037, 0x91A2B3C4, 0xD5E6F780);
    fpu(NEAREST, "fbld %0", r, sw, "m"(packed));
    check_extended("FBLD", &r, 0xC037, 0xDB4DA5D3, 0x1879A700);
    static u8 stored[10];
    asm volatile("fninit; fbld %1; fbstp %0" : "=m"(stored) : "m"(packed));
    check("FBSTP of what FBLD loaded", memcmp(stored, packed, 10), 0);
    static const u32 denormal = 1; /* 2^-149 */
    fpu(NEAREST, "flds %0", r, sw, "m"(denormal));
    check_extended("FLD m32 of a denormal is normal in a register", &r, 0x3FFF - 149, 0x80000000, 0);
    check("FLD m32 of a denormal: DE", sw & ERRORS, DENORMAL);
    static const u32 signalling = 0x7FA00000;
    fpu(NEAREST, "flds %0", r, sw, "m"(signalling));
    check_extended("FLD m32 of a signalling NaN makes it quiet", &r, 0x7FFF, 0xE0000000, 0);
    check("FLD m32 of a signalling NaN: IE", sw & ERRORS, IE);
}

static void constants(void) {
    static const struct { const char *name; u8 opcode; u16 exponent; u32 high, low; } table[] = {
        {"FLD1", 0xE8, 0x3FFF, 0x80000000, 0}, {"FLDL2T", 0xE9, 0x4000, 0xD49A784B, 0xCD1B8AFE},
        {"FLDL2E", 0xEA, 0x3FFF, 0xB8AA3B29, 0x5C17F0BC}, {"FLDPI", 0xEB, 0x4000, 0xC90FDAA2, 0x2168C235},
        {"FLDLG2", 0xEC, 0x3FFD, 0x9A209A84, 0xFBCFF799}, {"FLDLN2", 0xED, 0x3FFE, 0xB17217F7, 0xD1CF79AC},
        {"FLDZ", 0xEE, 0, 0, 0},
    };
    static u8 code[3] = {0xD9, 0, 0xC3};
    for (u32 i = 0; i < length_of(table); i++) {
        code[1] = table[i].opcode;
        fpu(NEAREST, "call *%0", r, sw, "r"(code));
        check_extended(table[i].name, &r, table[i].exponent, table[i].high, table[i].low);
    }
    fpu(DOWN, "fldpi", r, sw);
    check_extended("FLDPI rounded down", &r, 0x4000, 0xC90FDAA2, 0x2168C234);
    fpu(UP, "fldl2t", r, sw);
    check_extended("FLDL2T rounded up", &r, 0x4000, 0xD49A784B, 0xCD1B8AFF);
}

static void stores(void) {
    u32 single, wide[2];
    i16 word;
    i32 doubleword;
    asm volatile("fninit; fldpi; fsts %0; fstpl %1" : "=m"(single), "=m"(wide));
    check("FST m32 of pi", single, 0x40490FDB);
    check("FSTP m64 of pi: low", wide[0], 0x54442D18);
    check("FSTP m64 of pi: high", wide[1], 0x400921FB);
    static const struct { const char *name; u16 cw; i32 expected[4]; } rounding[] = {
        {"nearest", NEAREST, {2, -2, 4, 2}}, {"down", DOWN, {2, -3, 3, 1}}, {"up", UP, {3, -2, 4, 2}}, {"chop", CHOP, {2, -2, 3, 1}},
    };
    static const u32 values[4] = {0x40200000, 0xC0200000, 0x40600000, 0x3FF33333}; /* 2.5, -2.5, 3.5, 1.9 */
    for (u32 i = 0; i < length_of(rounding); i++) {
        char name[48];
        bool right = true;
        for (u32 j = 0; j < 4; j++) {
            u16 cw = rounding[i].cw;
            asm volatile("fninit; fldcw %1; flds %2; fistl %0; fistps %3"
                         : "=m"(doubleword) : "m"(cw), "m"(values[j]), "m"(word) : "memory");
            right = right && doubleword == rounding[i].expected[j] && word == rounding[i].expected[j];
        }
        format(name, "FIST and FISTP, rounding %s", rounding[i].name);
        check(name, right, true);
    }
    static const u32 big = 0x4F800000; /* 2^32 */
    asm volatile("fninit; flds %2; fistl %0; fnstsw %1" : "=m"(doubleword), "=m"(sw) : "m"(big));
    check("FIST m32 of 2^32: indefinite", (u32)doubleword, 0x80000000);
    check("FIST m32 of 2^32: IE", sw & ERRORS, IE);
    u32 quadword[2];
    asm volatile("fninit; flds %1; fistpll %0" : "=m"(quadword) : "m"(big));
    check("FISTP m64 of 2^32", quadword[0] == 0 && quadword[1] == 1, true);
    static const u32 minus_infinity = 0xFF800000;
    asm volatile("fninit; flds %2; fsts %0; fstpl %1" : "=m"(single), "=m"(wide) : "m"(minus_infinity));
    check("infinity in both formats", single == minus_infinity && wide[1] == 0xFFF00000 && wide[0] == 0, true);
    static const struct extended large = {0, 0x80000000, 0x5000};
    asm volatile("fninit; fldt %2; fstps %0; fnstsw %1" : "=m"(single), "=m"(sw) : "m"(large));
    check("FSTP m32 overflows to infinity", single, 0x7F800000);
    check("FSTP m32 overflows: OE, PE and rounded up", sw & (ERRORS | C1), OE | PE | C1);
    static const struct extended small = {0, 0xC0000000, 0x3FFF - 149}; /* 1.5 * 2^-149 */
    asm volatile("fninit; fldt %2; fstps %0; fnstsw %1" : "=m"(single), "=m"(sw) : "m"(small));
    check("FSTP m32 underflows to a denormal, to even", single, 2);
    check("FSTP m32 underflows: UE and PE", sw & ERRORS, UE | PE);
}

void formats(void) {
    loads();
    constants();
    stores();
}
