/* FNSTENV, FNSAVE, FRSTOR in their 32-bit and 16-bit layouts, and FXSAVE (SDM 1 8.1.10, 2A "FXSAVE"). */
#include "x87.h"

static u8 image[512] __attribute__((aligned(16)));
static struct extended r;
extern const u8 last_fpu_instruction[];

/* -pi over 1 in ST(0), ST(1); the last instruction with an address is named, its operand is `one`. */
static const u32 one = 0x3F800000;
__attribute__((noinline)) static void fill(void) {
    asm volatile("fninit; fld1; fldpi; fchs; last_fpu_instruction: fadds %0; fsubs %0" : : "m"(one));
}

static u16 half(u32 offset) { return *(u16 *)(image + offset); }
static u32 word(u32 offset) { return *(u32 *)(image + offset); }

void images(void) {
    memset(image, 0xCC, sizeof image);
    fill();
    asm volatile("fnstenv %0" : "=m"(image));
    check("FNSTENV, 32 bits: control", half(0), 0x037F);
    check("FNSTENV, 32 bits: top of stack", half(4) >> 11 & 7, 6);
    check("FNSTENV, 32 bits: tags", half(8), 0x0FFF);
    check("FNSTENV, 32 bits: instruction pointer, to the last but control", word(12) - (u32)last_fpu_instruction, 6);
    check("FNSTENV, 32 bits: CS", half(16), KERNEL_CS);
    check("FNSTENV, 32 bits: operand pointer", word(20), (u32)&one);
    check("FNSTENV, 32 bits: operand selector", half(24), KERNEL_DS);
    check("FNSTENV, 32 bits: 28 bytes", word(28), 0xCCCCCCCC);
    u16 cw;
    asm volatile("fnstcw %0" : "=m"(cw));
    check("FNSTENV masks everything", cw & 0x3F, 0x3F);

    memset(image, 0xCC, sizeof image);
    fill();
    asm volatile("data16 fnstenv %0" : "=m"(image));
    check("FNSTENV, 16 bits: control", half(0), 0x037F);
    check("FNSTENV, 16 bits: tags", half(4), 0x0FFF);
    check("FNSTENV, 16 bits: CS", half(8), KERNEL_CS);
    check("FNSTENV, 16 bits: operand pointer", half(10), (u32)&one & 0xFFFF);
    check("FNSTENV, 16 bits: 14 bytes", half(14), 0xCCCC);

    memset(image, 0xCC, sizeof image);
    fill();
    asm volatile("fnsave %0" : "=m"(image));
    check("FNSAVE, 32 bits: tags", half(8), 0x0FFF);
    check("FNSAVE, 32 bits: ST(0)", half(28 + 8), 0xC000);
    check("FNSAVE, 32 bits: ST(1)", half(28 + 10 + 8), 0x3FFF);
    check("FNSAVE, 32 bits: 108 bytes", word(108), 0xCCCCCCCC);
    check("FNSAVE initialises: status", status(), 0);
    asm volatile("frstor %1; fstpt %0" : "=m"(r) : "m"(image));
    check_extended("FRSTOR, 32 bits: ST(0)", &r, 0xC000, 0xC90FDAA2, 0x2168C235);
    asm volatile("fstpt %0" : "=m"(r));
    check_extended("FRSTOR, 32 bits: ST(1)", &r, 0x3FFF, 0x80000000, 0);

    memset(image, 0xCC, sizeof image);
    fill();
    asm volatile("data16 fnsave %0" : "=m"(image));
    check("FNSAVE, 16 bits: ST(0)", half(14 + 8), 0xC000);
    check("FNSAVE, 16 bits: 94 bytes", half(94), 0xCCCC);
    asm volatile("data16 frstor %1; fstpt %0" : "=m"(r) : "m"(image));
    check_extended("FRSTOR, 16 bits: ST(0)", &r, 0xC000, 0xC90FDAA2, 0x2168C235);

    /* FLDENV brings back control and status. */
    fill();
    asm volatile("fnstenv %0" : "=m"(image));
    *(u16 *)image = 0x0E7F;
    asm volatile("fninit; fldenv %1; fnstcw %0" : "=m"(cw) : "m"(image));
    check("FLDENV: control", cw, 0x0E7F);
    check("FLDENV: top of stack", status() >> 11 & 7, 6);
    asm volatile("fninit");

    if (!cpu_has(CPU_FXSR)) return skip("FXSAVE", "FXSR");
    memset(image, 0xCC, sizeof image);
    fill();
    asm volatile("fxsave %0" : "=m"(image));
    check("FXSAVE: control", half(0), 0x037F);
    check("FXSAVE: top of stack", half(2) >> 11 & 7, 6);
    check("FXSAVE: a bit a register instead of tags", image[4], 0xC0);
    check("FXSAVE: operand pointer", word(16), (u32)&one);
    check("FXSAVE: ST(0)", half(32 + 8), 0xC000);
    check("FXSAVE: ST(1)", half(48 + 8), 0x3FFF);
    check("FXSAVE does not initialise", status() >> 11 & 7, 6);
    asm volatile("fninit; fxrstor %1; fstpt %0" : "=m"(r) : "m"(image));
    check_extended("FXRSTOR: ST(0)", &r, 0xC000, 0xC90FDAA2, 0x2168C235);
    probe("fxsave (%0)", : "r"(image + 4));
    check_fault("#GP FXSAVE must be aligned to 16", GP, 0);
    asm volatile("fninit");
}
