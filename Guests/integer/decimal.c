/* DAA, DAS, AAA, AAS, AAM, AAD: what they are for, decimal arithmetic, over all digits. */
#include "integer.h"

static u32 packed(u32 value) { return value / 10 * 16 + value % 10; }

static void packed_digits(void) {
    struct tally add = {0}, subtract = {0};
    for (u32 a = 0; a < 100; a++)
        for (u32 b = 0; b < 100; b++) {
            u32 al = packed(a), flags;
            char text[64];
            asm volatile("addb %b2, %%al; daa; pushfl; popl %1" : "+a"(al), "=r"(flags) : "q"(packed(b)) : "cc");
            u32 sum = a + b;
            format(text, "%u + %u: %x flags %x", a, b, al, flags);
            u32 expected = (sum > 99 ? EFLAGS_CF : 0) | sign_zero_parity(packed(sum % 100), 8);
            u32 defined = EFLAGS_CF | EFLAGS_SF | EFLAGS_ZF | EFLAGS_PF;
            tally(&add, (al & 0xFF) == packed(sum % 100) && (flags & defined) == expected, text);
            al = packed(a);
            asm volatile("subb %b2, %%al; das; pushfl; popl %1" : "+a"(al), "=r"(flags) : "q"(packed(b)) : "cc");
            u32 difference = (100 + a - b) % 100;
            format(text, "%u - %u: %x flags %x", a, b, al, flags);
            expected = (a < b ? EFLAGS_CF : 0) | sign_zero_parity(packed(difference), 8);
            tally(&subtract, (al & 0xFF) == packed(difference) && (flags & defined) == expected, text);
        }
    check_tally("ADD and DAA of all pairs of two digits", &add);
    check_tally("SUB and DAS of all pairs of two digits", &subtract);
}

static void unpacked_digits(void) {
    struct tally add = {0}, subtract = {0}, split = {0}, join = {0};
    u32 both = EFLAGS_CF | EFLAGS_AF;
    for (u32 a = 0; a < 10; a++)
        for (u32 b = 0; b < 10; b++) {
            u32 ax = 0x0500 | a, flags;
            char text[64];
            asm volatile("addb %b2, %%al; aaa; pushfl; popl %1" : "+a"(ax), "=r"(flags) : "q"(b) : "cc");
            u32 carry = a + b > 9;
            format(text, "%u + %u: %x flags %x", a, b, ax, flags);
            tally(&add, ax == ((5 + carry) << 8 | (a + b) % 10) && (flags & both) == (carry ? both : 0), text);
            ax = 0x0500 | a;
            asm volatile("subb %b2, %%al; aas; pushfl; popl %1" : "+a"(ax), "=r"(flags) : "q"(b) : "cc");
            u32 borrow = a < b;
            format(text, "%u - %u: %x flags %x", a, b, ax, flags);
            tally(&subtract, ax == ((5 - borrow) << 8 | (10 + a - b) % 10) && (flags & both) == (borrow ? both : 0), text);
        }
    for (u32 value = 0; value < 256; value++) {
        u32 ax = 0xFF00 | value, flags;
        char text[64];
        asm volatile("aam; pushfl; popl %1" : "+a"(ax), "=r"(flags) : : "cc");
        format(text, "%u: %x flags %x", value, ax, flags);
        u32 defined = EFLAGS_SF | EFLAGS_ZF | EFLAGS_PF;
        tally(&split, ax == (value / 10 << 8 | value % 10) && (flags & defined) == sign_zero_parity(value % 10, 8), text);
        asm volatile("aad; pushfl; popl %1" : "+a"(ax), "=r"(flags) : : "cc");
        format(text, "%u: %x flags %x", value, ax, flags);
        tally(&join, ax == value && (flags & defined) == sign_zero_parity(value, 8), text);
    }
    check_tally("ADD and AAA of all pairs of digits", &add);
    check_tally("SUB and AAS of all pairs of digits", &subtract);
    check_tally("AAM of all bytes", &split);
    check_tally("AAD of what AAM made", &join);
    u32 ax = 0x1234;
    asm volatile("aam $16" : "+a"(ax) : : "cc");
    check("AAM with base 16 splits nibbles", ax, 0x0304);
    asm volatile("aad $16" : "+a"(ax) : : "cc");
    check("AAD with base 16 joins them", ax, 0x0034);
}

void decimal(void) {
    packed_digits();
    unpacked_digits();
}
