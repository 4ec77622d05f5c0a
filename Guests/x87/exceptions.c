/* The six exceptions: masked responses, and unmasked ones reported as #MF by the next waiting instruction (SDM 1 8.5). */
#include "x87.h"

static struct extended r;
static u16 sw;
static const struct extended huge = {0xFFFFFFFF, 0xFFFFFFFF, 0x7FFE}, tiny = {1, 0x80000000, 1}, denormal = {1, 0, 0};

static void masked(void) {
    fpu(NEAREST, "fldz; fldz; fdivp", r, sw);
    check_extended("0 / 0: indefinite", &r, 0xFFFF, 0xC0000000, 0);
    check("0 / 0: IE", sw & ERRORS, IE);
    fpu(NEAREST, "fld1; fchs; fsqrt", r, sw);
    check_extended("FSQRT of -1: indefinite", &r, 0xFFFF, 0xC0000000, 0);
    check("FSQRT of -1: IE", sw & ERRORS, IE);
    fpu(NEAREST, "fld1; fchs; fldz; .byte 0xDE, 0xF9", r, sw);
    check_extended("-1 / 0: -infinity", &r, 0xFFFF, 0x80000000, 0);
    check("-1 / 0: ZE", sw & ERRORS, ZE);
    fpu(NEAREST, "fldt %0; fadd %%st, %%st", r, sw, "m"(huge));
    check_extended("overflow: infinity", &r, 0x7FFF, 0x80000000, 0);
    check("overflow: OE and PE, rounded up", sw & (ERRORS | C1), OE | PE | C1);
    fpu(DOWN, "fldt %0; fadd %%st, %%st", r, sw, "m"(huge));
    check_extended("overflow, rounding down: the greatest number", &r, 0x7FFE, 0xFFFFFFFF, 0xFFFFFFFF);
    fpu(NEAREST, "fldt %0; fld1; fadd %%st, %%st; .byte 0xDE, 0xF9", r, sw, "m"(tiny));
    check_extended("underflow: a denormal", &r, 0, 0x40000000, 0);
    check("underflow: UE and PE", sw & ERRORS, UE | PE);
    fpu(NEAREST, "fldt %0; fld1; faddp", r, sw, "m"(denormal));
    check_extended("1 + denormal", &r, 0x3FFF, 0x80000000, 0);
    check("1 + denormal: DE and PE", sw & ERRORS, DENORMAL | PE);
    static const u32 infinity = 0x7F800000;
    fpu(NEAREST, "flds %0; fsub %%st, %%st", r, sw, "m"(infinity));
    check("infinity - infinity: IE", sw & ERRORS, IE);
    static const u32 first = 0x7FC00001, second = 0x7FC00002;
    fpu(NEAREST, "flds %0; flds %1; faddp", r, sw, "m"(first), "m"(second));
    check_extended("NaN + NaN: the greater significand", &r, 0x7FFF, 0xC0000200, 0);
    check("NaN + NaN: quiet", sw & ERRORS, 0);
}

/* Each exception unmasked alone: the status shows ES and B, FWAIT traps, operands are untouched where the rules say so. */
static void unmasked(void) {
    u16 cw;
    cw = NEAREST & ~ZE;
    asm volatile("fninit; fldcw %0" : : "m"(cw));
    probe("fld1; fldz; .byte 0xDE, 0xF9; nop; fwait"); /* FDIVP */
    check_trap("#MF division by zero", MF, 0, 7);
    asm volatile("fnstsw %0" : "=m"(sw));
    check("#MF division by zero: ZE, ES and B", sw & (ERRORS | 0x8000), ZE | ES | 0x8000);
    check("#MF division by zero: nothing was popped", sw >> 11 & 7, 6);
    asm volatile("fnclex; fstpt %0" : "=m"(r));
    check_extended("#MF division by zero: the divisor is still there", &r, 0, 0, 0);
    asm volatile("fstpt %0" : "=m"(r));
    check_extended("#MF division by zero: the dividend is still there", &r, 0x3FFF, 0x80000000, 0);

    cw = NEAREST & ~IE;
    asm volatile("fninit; fldcw %0" : : "m"(cw));
    probe("fld1; fchs; fsqrt; fld1");
    check_trap("#MF invalid operation, by the next instruction", MF, 0, 6);
    asm volatile("fnclex; fstpt %0" : "=m"(r));
    check_extended("#MF invalid operation: the operand is still there", &r, 0xBFFF, 0x80000000, 0);

    cw = NEAREST & ~PE;
    static const u32 three = 0x40400000;
    asm volatile("fninit; fldcw %0" : : "m"(cw));
    probe("fld1; fdivs (%0); fwait", : "r"(&three));
    check_trap("#MF precision", MF, 0, 4);
    asm volatile("fnclex; fstpt %0" : "=m"(r));
    check_extended("#MF precision: the result is stored all the same", &r, 0x3FFD, 0xAAAAAAAA, 0xAAAAAAAB);

    cw = NEAREST & ~OE;
    asm volatile("fninit; fldcw %0; fldt %1" : : "m"(cw), "m"(huge));
    probe("fadd %%st, %%st; fwait");
    check_trap("#MF overflow", MF, 0, 2);
    asm volatile("fnclex; fstpt %0" : "=m"(r));
    check_extended("#MF overflow: the exponent is biased by -24576", &r, 0x7FFF - 24576, 0xFFFFFFFF, 0xFFFFFFFF);

    cw = NEAREST & ~OE;
    static u32 single = 0x12345678;
    asm volatile("fninit; fldcw %0; fldt %1" : : "m"(cw), "m"(huge));
    probe("fstps (%0); fwait", : "r"(&single));
    check_trap("#MF overflow in a store", MF, 0, 2);
    check("#MF overflow in a store: memory is untouched", single, 0x12345678);

    asm volatile("fninit; fldcw %0; fldt %1; fadd %%st, %%st" : : "m"(cw), "m"(huge));
    probe("fnstsw %%ax; fnstcw (%0); fnclex; fwait", : "r"(&single) : "eax");
    check_no_trap("FNSTSW, FNSTCW and FNCLEX do not report it");
    asm volatile("fninit; fldcw %0; fldt %1; fadd %%st, %%st" : : "m"(cw), "m"(huge));
    probe("fninit; fwait");
    check_no_trap("FNINIT drops it");

    /* Unmasking a flag that is already set makes the exception pending. */
    cw = NEAREST & ~ZE;
    asm volatile("fninit; fld1; fldz; .byte 0xDE, 0xF9");
    probe("fldcw (%0); fwait", : "r"(&cw));
    check_trap("#MF unmasked after the fact", MF, 0, 2);
    asm volatile("fninit");
}

void exceptions(void) {
    masked();
    unmasked();
}
