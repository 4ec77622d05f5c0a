/* The x87 FPU: formats, arithmetic and rounding, comparisons, exceptions, stack, saved images, transcendentals
 * (SDM 1 chapter 8, 2A "F..."). Results are compared bit by bit; values chosen so that their bits are known by hand. */
#include "x87.h"

const char guest_name[] = "x87";

void check_extended(const char *name, const struct extended *got, u16 exponent, u32 high, u32 low) {
    char a[48], b[48];
    format(a, "%x:%x:%x", (u32)got->exponent, got->high, got->low);
    format(b, "%x:%x:%x", (u32)exponent, high, low);
    check_string(name, a, b);
}

void guest_main(void) {
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    formats();
    arithmetic();
    comparisons();
    exceptions();
    stack();
    images();
    transcendental();
}
