/* Shifts and rotates, one step at a time as often as the masked count says (SDM 2B "SAL/SAR/SHL/SHR", "RCL/RCR/ROL/ROR"). */
#include "integer.h"

enum operation { SHL, SHR, SAR, ROL, ROR, RCL, RCR };

static struct outcome model(enum operation operation, u32 value, u32 count, u32 flags, u32 width, u32 *defined) {
    u32 top = 1u << (width - 1), mask = mask_of(width), carry = flags & EFLAGS_CF, original = value &= mask;
    bool shift = operation <= SAR;
    count &= 31;
    *defined = EFLAGS_STATUS;
    if (!count) return (struct outcome){value, flags};
    for (u32 i = 0; i < count; i++) {
        u32 high = !!(value & top), low = value & 1;
        switch (operation) {
        case SHL: carry = high, value = value << 1 & mask; break;
        case SHR: carry = low, value >>= 1; break;
        case SAR: carry = low, value = value >> 1 | (high ? top : 0); break;
        case ROL: carry = high, value = (value << 1 & mask) | high; break;
        case ROR: carry = low, value = value >> 1 | (low ? top : 0); break;
        case RCL: value = (value << 1 & mask) | carry, carry = high; break;
        case RCR: value = value >> 1 | (carry ? top : 0), carry = low; break;
        }
    }
    u32 result = (flags & ~(EFLAGS_CF | EFLAGS_OF)) | carry;
    if (shift) {
        result = (result & ~(EFLAGS_SF | EFLAGS_ZF | EFLAGS_PF)) | sign_zero_parity(value, width);
        *defined &= ~EFLAGS_AF;
        if (operation != SAR && count >= width) *defined &= ~EFLAGS_CF;
    }
    if (count == 1) {
        /* OF: did the sign change? For SAR never; for SHR it is the old sign. */
        if (operation != SAR && (original ^ value) & top) result |= EFLAGS_OF;
    } else *defined &= ~EFLAGS_OF;
    return (struct outcome){value, result};
}

typedef void instruction(u32 *a, u32 count, u32 *flags);
#define FLAGGED(code) "pushl %1; popfl; " code "; pushfl; popl %1"
#define ROTATE(name, op)                                                                                                      \
    static void name##8(u32 *a, u32 c, u32 *f) { asm volatile(FLAGGED(op "b %%cl, %b0") : "+q"(*a), "+r"(*f) : "c"(c) : "cc"); }   \
    static void name##16(u32 *a, u32 c, u32 *f) { asm volatile(FLAGGED(op "w %%cl, %w0") : "+r"(*a), "+r"(*f) : "c"(c) : "cc"); }  \
    static void name##32(u32 *a, u32 c, u32 *f) { asm volatile(FLAGGED(op "l %%cl, %0") : "+r"(*a), "+r"(*f) : "c"(c) : "cc"); }
ROTATE(shl, "shl") ROTATE(shr, "shr") ROTATE(sar, "sar") ROTATE(rol, "rol") ROTATE(ror, "ror") ROTATE(rcl, "rcl") ROTATE(rcr, "rcr")
#define ROW(name, op) {#op, op, {name##8, name##16, name##32}}
static const struct { const char *name; enum operation operation; instruction *code[3]; } table[] = {
    ROW(shl, SHL), ROW(shr, SHR), ROW(sar, SAR), ROW(rol, ROL), ROW(ror, ROR), ROW(rcl, RCL), ROW(rcr, RCR),
};

static void single(void) {
    static const u32 widths[] = {8, 16, 32};
    for (u32 row = 0; row < length_of(table); row++)
        for (u32 w = 0; w < 3; w++) {
            struct tally t = {0};
            u32 mask = mask_of(widths[w]);
            for (u32 i = 0; i < EDGES * 40 * 2; i++) {
                u32 a = edges[i / 2 % EDGES], count = i / 2 / EDGES, before = i & 1 ? EFLAGS_STATUS | 2 : 2, defined;
                u32 value = a, flags = before;
                table[row].code[w](&value, count, &flags);
                struct outcome o = model(table[row].operation, a, count, before, widths[w], &defined);
                char text[96];
                format(text, "%x by %u: %x flags %x", a, count, value, flags);
                tally(&t, value == ((a & ~mask) | o.value) && !((flags ^ o.flags) & defined), text);
            }
            char name[32];
            format(name, "%s, %u bits, counts 0 to 39", table[row].name, widths[w]);
            check_tally(name, &t);
        }
}

/* SHLD and SHRD: shift two registers as one long row of bits. */
static void doubled(void) {
    struct tally left = {0}, right = {0}, narrow = {0};
    for (u32 i = 0; i < EDGES * EDGES * 40; i++) {
        u32 a = edges[i % EDGES], b = edges[i / EDGES % EDGES], count = i / EDGES / EDGES, n = count & 31;
        u32 value = a, flags;
        char text[96];
        asm volatile("stc; shldl %%cl, %2, %0; pushfl; popl %1" : "+r"(value), "=r"(flags) : "r"(b), "c"(count) : "cc");
        u64 both = (u64)a << 32 | b;
        u32 expected = (u32)(both << n >> 32), carry = n ? a >> (32 - n) & 1 : 1;
        format(text, "%x:%x by %u: %x flags %x", a, b, count, value, flags);
        bool ok = value == expected && (flags & EFLAGS_CF) == carry;
        if (n) ok = ok && !((flags ^ sign_zero_parity(value, 32)) & (EFLAGS_SF | EFLAGS_ZF | EFLAGS_PF));
        if (n == 1) ok = ok && !!(flags & EFLAGS_OF) == ((a ^ value) >> 31);
        tally(&left, ok, text);
        value = a;
        asm volatile("stc; shrdl %%cl, %2, %0; pushfl; popl %1" : "+r"(value), "=r"(flags) : "r"(b), "c"(count) : "cc");
        both = (u64)b << 32 | a;
        expected = (u32)(both >> n), carry = n ? a >> (n - 1) & 1 : 1;
        format(text, "%x:%x by %u: %x flags %x", b, a, count, value, flags);
        tally(&right, value == expected && (flags & EFLAGS_CF) == carry, text);
        if (n > 16) continue; /* undefined */
        value = a;
        asm volatile("shldw %%cl, %w1, %w0" : "+r"(value) : "r"(b), "c"(count) : "cc");
        both = (u64)(a & 0xFFFF) << 16 | (b & 0xFFFF);
        format(text, "16 bits, %x:%x by %u: %x", a, b, count, value);
        tally(&narrow, value == ((a & 0xFFFF0000) | ((u32)(both << n >> 16) & 0xFFFF)), text);
    }
    check_tally("SHLD, 32 bits", &left);
    check_tally("SHRD, 32 bits", &right);
    check_tally("SHLD, 16 bits", &narrow);
}

void shifts(void) {
    single();
    doubled();
    static u8 memory[4] = {0, 0x81, 0, 0};
    asm volatile("rolb $1, 1+%0" : "+m"(memory) : : "cc");
    check("ROL m8, 1", memory[1], 3);
    asm volatile("sarl $31, %0" : "+m"(memory) : : "cc");
    check("SAR m32, imm8", *(u32 *)memory, 0);
}
