/* The four operations in all forms, rounding and precision control, and the other exact operations. */
#include "x87.h"

static struct extended r;
static u16 sw;
static const u32 three = 0x40400000, seven = 0x40E00000, minus_two = 0xC0000000;
static const u16 word_ten = 10;

/* One third, by rounding and by precision. */
static void thirds(void) {
    static const struct { const char *name; u16 cw; u32 high, low; bool up; } table[] = {
        {"64 bits, nearest", 0x037F, 0xAAAAAAAA, 0xAAAAAAAB, true}, {"64 bits, down", 0x077F, 0xAAAAAAAA, 0xAAAAAAAA, false},
        {"64 bits, up", 0x0B7F, 0xAAAAAAAA, 0xAAAAAAAB, true},      {"64 bits, chop", 0x0F7F, 0xAAAAAAAA, 0xAAAAAAAA, false},
        {"53 bits, nearest", 0x027F, 0xAAAAAAAA, 0xAAAAA800, false}, {"53 bits, up", 0x0A7F, 0xAAAAAAAA, 0xAAAAB000, true},
        {"24 bits, nearest", 0x007F, 0xAAAAAB00, 0, true},           {"24 bits, down", 0x047F, 0xAAAAAA00, 0, false},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        char name[64];
        fpu(table[i].cw, "fld1; fdivs %0", r, sw, "m"(three));
        format(name, "1 / 3, %s", table[i].name);
        check_extended(name, &r, 0x3FFD, table[i].high, table[i].low);
        format(name, "1 / 3, %s: PE, and C1 if rounded up", table[i].name);
        check(name, sw & (ERRORS | C1), PE | (table[i].up ? C1 : 0));
    }
    fpu(DOWN, "fld1; fchs; fdivs %0", r, sw, "m"(three));
    check_extended("-1 / 3, down", &r, 0xBFFD, 0xAAAAAAAA, 0xAAAAAAAB);
}

static void forms(void) {
#define FORM(name, code, exponent, high)                                                                       \
    fpu(NEAREST, code, r, sw, "m"(three), "m"(seven), "m"(word_ten));                                            \
    check_extended(name, &r, exponent, high, 0);                                                               \
    check(name ": exact", sw & ERRORS, 0)
    FORM("FADD m32", "flds %0; fadds %1", 0x4002, 0xA0000000);                        /* 10 */
    FORM("FADD ST(0), ST(i)", "flds %0; flds %1; fadd %%st(1), %%st", 0x4002, 0xA0000000);
    FORM("FADDP", "flds %0; flds %1; faddp", 0x4002, 0xA0000000);
    FORM("FSUB m32", "flds %0; fsubs %1", 0xC001, 0x80000000);                        /* -4 */
    FORM("FSUBR m32", "flds %0; fsubrs %1", 0x4001, 0x80000000);                      /* 4 */
    FORM("FSUB ST(0), ST(1)", "flds %0; flds %1; .byte 0xD8, 0xE1", 0x4001, 0x80000000);
    FORM("FSUBR ST(0), ST(1)", "flds %0; flds %1; .byte 0xD8, 0xE9", 0xC001, 0x80000000);
    FORM("FSUBP ST(1), ST(0)", "flds %0; flds %1; .byte 0xDE, 0xE9", 0xC001, 0x80000000);
    FORM("FSUBRP ST(1), ST(0)", "flds %0; flds %1; .byte 0xDE, 0xE1", 0x4001, 0x80000000);
    FORM("FMUL m32", "flds %0; fmuls %1", 0x4003, 0xA8000000);                        /* 21 */
    FORM("FMULP", "flds %0; flds %1; fmulp", 0x4003, 0xA8000000);
    FORM("FIMUL m16", "flds %0; fimuls %2", 0x4003, 0xF0000000);                      /* 30 */
    FORM("FIADD m16", "flds %0; fiadds %2", 0x4002, 0xD0000000);                      /* 13 */
    FORM("FISUB m16", "flds %0; fisubs %2", 0xC001, 0xE0000000);                      /* -7 */
    FORM("FISUBR m16", "flds %0; fisubrs %2", 0x4001, 0xE0000000);
    FORM("FDIVP ST(1), ST(0)", "fld1; fld1; fadd %%st, %%st; .byte 0xDE, 0xF9", 0x3FFE, 0x80000000);  /* 1 / 2 */
    FORM("FDIVRP ST(1), ST(0)", "fld1; fld1; fadd %%st, %%st; .byte 0xDE, 0xF1", 0x4000, 0x80000000); /* 2 / 1 */
    FORM("FIDIVR m16", "fld1; fadd %%st, %%st; fidivrs %2", 0x4001, 0xA0000000);                      /* 10 / 2 */
#undef FORM
}

static void others(void) {
    fpu(NEAREST, "fld1; fadd %%st, %%st; fsqrt", r, sw);
    check_extended("FSQRT of 2", &r, 0x3FFF, 0xB504F333, 0xF9DE6484);
    fpu(NEAREST, "flds %0; fabs", r, sw, "m"(minus_two));
    check_extended("FABS", &r, 0x4000, 0x80000000, 0);
    fpu(NEAREST, "fldz; fchs", r, sw);
    check_extended("FCHS of zero", &r, 0x8000, 0, 0);
    fpu(NEAREST, "flds %0; flds %1; fscale; fstp %%st(1)", r, sw, "m"(minus_two), "m"(three));
    check_extended("FSCALE: 3 * 2^-2", &r, 0x3FFE, 0xC0000000, 0);
    fpu(NEAREST, "flds %0; fxtract; fstp %%st(1)", r, sw, "m"(seven));
    check_extended("FXTRACT: the significand", &r, 0x3FFF, 0xE0000000, 0);
    fpu(NEAREST, "flds %0; fxtract; fstp %%st(0)", r, sw, "m"(seven));
    check_extended("FXTRACT: the exponent", &r, 0x4000, 0x80000000, 0);
    fpu(NEAREST, "flds %0; flds %1; fprem", r, sw, "m"(three), "m"(seven));
    check_extended("FPREM 7, 3", &r, 0x3FFF, 0x80000000, 0);
    check("FPREM 7, 3: quotient 2 in C0, C3, C1; complete", sw & (CONDITIONS | C1), C3);
    fpu(NEAREST, "fld1; fadd %%st, %%st; flds %0; fprem1", r, sw, "m"(seven));
    check_extended("FPREM1 7, 2: the nearer, to even", &r, 0xBFFF, 0x80000000, 0);
    static const struct extended enormous = {0, 0x80000000, 0x3FFF + 200};
    fpu(NEAREST, "flds %0; fldt %1; fprem", r, sw, "m"(three), "m"(enormous));
    check("FPREM of 2^200: not complete yet", sw & C2, C2);
    static const u32 values[2] = {0x40200000, 0xC0200000}; /* 2.5, -2.5 */
    static const struct { const char *name; u16 cw; u32 plus, minus; } rounding[] = {
        {"FRNDINT, nearest", NEAREST, 2, 2}, {"FRNDINT, down", DOWN, 2, 3}, {"FRNDINT, up", UP, 3, 2}, {"FRNDINT, chop", CHOP, 2, 2},
    };
    for (u32 i = 0; i < length_of(rounding); i++) {
        i32 result[2];
        for (u32 j = 0; j < 2; j++) {
            u16 cw = rounding[i].cw;
            asm volatile("fninit; fldcw %1; flds %2; frndint; fistpl %0" : "=m"(result[j]) : "m"(cw), "m"(values[j]));
        }
        check(rounding[i].name, (u32)result[0] << 16 | (u32)-result[1], rounding[i].plus << 16 | rounding[i].minus);
    }
}

void arithmetic(void) {
    thirds();
    forms();
    others();
}
