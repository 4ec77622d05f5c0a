/* The register stack: overflow and underflow, tags, FXCH, FFREE and the pointer. */
#include "x87.h"

static struct extended r;
static u16 sw;
static u32 environment[7];

static u16 tags(void) {
    asm volatile("fnstenv %0; fldenv %0" : "+m"(environment));
    return environment[2] & 0xFFFF;
}

void stack(void) {
    asm volatile("fninit");
    check("FNINIT: tags are all empty", tags(), 0xFFFF);
    check("FNINIT: status", status(), 0);
    u16 cw;
    asm volatile("fnstcw %0" : "=m"(cw));
    check("FNINIT: control", cw, 0x037F);
    asm volatile("fld1; fldz; fldpi; fldl2e; fld1; fchs; fldz");
    check("six loads: top of stack", status() >> 11 & 7, 2);
    static const u32 infinity = 0x7F800000;
    asm volatile("flds %0" : : "m"(infinity));
    /* Registers 7 to 1: 1, 0, pi, log2 e, -1, 0, infinity; two bits each: valid 0, zero 1, special 2, empty 3. */
    check("tags by kind of value", tags(), 0x101B);
    asm volatile("fld1; fld1; fnstsw %1; fnclex; fstpt %0" : "=m"(r), "=m"(sw));
    check_extended("stack overflow: indefinite", &r, 0xFFFF, 0xC0000000, 0);
    check("stack overflow: IE, SF and C1", sw & (ERRORS | C1), IE | SF | C1);
    asm volatile("fninit; fadd %%st(1), %%st; fnstsw %0; fnclex; fstpt %1" : "=m"(sw), "=m"(r));
    check("stack underflow: IE and SF, C1 clear", sw & (ERRORS | C1), IE | SF);
    check_extended("stack underflow: indefinite", &r, 0xFFFF, 0xC0000000, 0);
    asm volatile("fninit; fld1; fldpi; fxch; fstpt %0" : "=m"(r));
    check_extended("FXCH", &r, 0x3FFF, 0x80000000, 0);
    asm volatile("fninit; fld1; fldpi; ffree %%st(0); fnstsw %0" : "=m"(sw));
    check("FFREE leaves the pointer alone", sw >> 11 & 7, 6);
    check("FFREE empties one register", tags(), 0x3FFF);
    asm volatile("fninit; fld1; fincstp; fnstsw %0" : "=m"(sw));
    check("FINCSTP moves the pointer", sw >> 11 & 7, 0);
    check("FINCSTP leaves the tags alone", tags(), 0x3FFF);
    asm volatile("fdecstp; fstpt %0" : "=m"(r));
    check_extended("FDECSTP moves it back", &r, 0x3FFF, 0x80000000, 0);
    asm volatile("fninit; fld1; fld %%st; fst %%st(3); fnstsw %0" : "=m"(sw));
    check("FST ST(3) fills an empty register", tags(), 0x0FF3);
    asm volatile("fninit");
}
