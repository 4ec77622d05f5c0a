/* MUL, IMUL, DIV and IDIV against long multiplication and division bit by bit. */
#include "integer.h"

static u64 multiply(u64 a, u64 b) {
    u64 product = 0;
    for (u32 i = 0; i < 64; i++)
        if (b >> i & 1) product += a << i;
    return product;
}

static u64 extend(u32 value, u32 width) {
    u64 v = value & mask_of(width);
    return v >> (width - 1) & 1 ? v | ~(u64)mask_of(width) : v;
}

/* CF = OF = the upper half is not just the extension of the lower. */
static bool overflow_right(u32 flags, bool expected) {
    u32 both = EFLAGS_CF | EFLAGS_OF;
    return (flags & both) == (expected ? both : 0);
}

static void products(void) {
    struct tally mul[3] = {0}, imul[3] = {0}, two = {0}, three = {0};
    for (u32 i = 0; i < EDGES * EDGES; i++) {
        u32 a = edges[i % EDGES], b = edges[i / EDGES], low, high, flags;
        char text[96];
        asm volatile("mull %4; pushfl; popl %2" : "=a"(low), "=&d"(high), "=r"(flags) : "0"(a), "r"(b) : "cc");
        u64 expected = multiply(a, b);
        format(text, "%x * %x: %x:%x flags %x", a, b, high, low, flags);
        tally(&mul[2], ((u64)high << 32 | low) == expected && overflow_right(flags, high != 0), text);
        asm volatile("imull %4; pushfl; popl %2" : "=a"(low), "=&d"(high), "=r"(flags) : "0"(a), "r"(b) : "cc");
        expected = multiply(extend(a, 32), extend(b, 32));
        format(text, "%x * %x: %x:%x flags %x", a, b, high, low, flags);
        bool fits = extend((u32)expected, 32) == expected;
        tally(&imul[2], ((u64)high << 32 | low) == expected && overflow_right(flags, !fits), text);
        low = a;
        asm volatile("imull %2, %0; pushfl; popl %1" : "+r"(low), "=r"(flags) : "r"(b) : "cc");
        tally(&two, low == (u32)expected && overflow_right(flags, !fits), text);
        asm volatile("imull $-77, %2, %0; pushfl; popl %1" : "=r"(low), "=r"(flags) : "r"(a) : "cc");
        expected = multiply(extend(a, 32), extend((u32)-77, 32));
        tally(&three, low == (u32)expected && overflow_right(flags, extend((u32)expected, 32) != expected), text);

        low = a, high = 0xAAAA5555;
        asm volatile("mulw %w3; pushfl; popl %2" : "+a"(low), "+d"(high), "=r"(flags) : "r"(b) : "cc");
        u32 product = (u32)multiply(a & 0xFFFF, b & 0xFFFF);
        format(text, "16 bits, %x * %x: %x:%x", a, b, high, low);
        bool right = low == ((a & 0xFFFF0000) | (product & 0xFFFF)) && high == (0xAAAA0000 | product >> 16);
        tally(&mul[1], right && overflow_right(flags, product >> 16), text);
        low = a, high = 0xAAAA5555;
        asm volatile("imulw %w3; pushfl; popl %2" : "+a"(low), "+d"(high), "=r"(flags) : "r"(b) : "cc");
        product = (u32)multiply(extend(a, 16), extend(b, 16));
        right = low == ((a & 0xFFFF0000) | (product & 0xFFFF)) && high == (0xAAAA0000 | product >> 16);
        tally(&imul[1], right && overflow_right(flags, (u32)extend(product, 16) != product), text);
        low = a;
        asm volatile("mulb %b2; pushfl; popl %1" : "+a"(low), "=r"(flags) : "q"(b) : "cc");
        product = (u32)multiply(a & 0xFF, b & 0xFF);
        format(text, "8 bits, %x * %x: %x", a, b, low);
        tally(&mul[0], low == ((a & 0xFFFF0000) | product) && overflow_right(flags, product >> 8), text);
        low = a;
        asm volatile("imulb %b2; pushfl; popl %1" : "+a"(low), "=r"(flags) : "q"(b) : "cc");
        product = (u32)multiply(extend(a, 8), extend(b, 8)) & 0xFFFF;
        right = low == ((a & 0xFFFF0000) | product);
        tally(&imul[0], right && overflow_right(flags, ((u32)extend(product, 8) & 0xFFFF) != product), text);
    }
    check_tally("MUL, 8 bits", &mul[0]);
    check_tally("MUL, 16 bits", &mul[1]);
    check_tally("MUL, 32 bits", &mul[2]);
    check_tally("IMUL, 8 bits", &imul[0]);
    check_tally("IMUL, 16 bits", &imul[1]);
    check_tally("IMUL, 32 bits", &imul[2]);
    check_tally("IMUL r32, r32", &two);
    check_tally("IMUL r32, r32, imm8", &three);
}

/* Restoring division of 64 bits by 64. */
static u64 divide(u64 a, u64 b, u64 *remainder) {
    u64 quotient = 0, rest = 0;
    for (i32 i = 63; i >= 0; i--) {
        rest = rest << 1 | (a >> i & 1);
        if (rest >= b) rest -= b, quotient |= (u64)1 << i;
    }
    *remainder = rest;
    return quotient;
}

/* Division that overflows must fault, any other must be right: `DE` tells. */
static void quotients(void) {
    struct tally div = {0}, idiv = {0}, narrow = {0};
    u32 faults = 0;
    for (u32 i = 0; i < EDGES * EDGES * EDGES; i++) {
        u32 low = edges[i % EDGES], high = edges[i / EDGES % EDGES], b = edges[i / EDGES / EDGES];
        u32 quotient = low, remainder = high;
        u64 dividend = (u64)high << 32 | low, rest = 0, expected = 0;
        char text[96];
        probe("divl %2", "+a"(quotient), "+d"(remainder) : "r"(b));
        bool fault = b == 0 || high >= b;
        if (!fault) expected = divide(dividend, b, &rest);
        faults += fault;
        format(text, "%x:%x / %x: %x rest %x", high, low, b, quotient, remainder);
        tally(&div, fault ? trap.vector == DE && quotient == low && remainder == high
                          : trap.vector == NO_TRAP && quotient == expected && remainder == rest, text);

        if (high == 0x80000000 && low == 0 && b == 0xFFFFFFFF) continue; /* QEMU 7.2 dies: its host's division overflows */
        quotient = low, remainder = high;
        probe("idivl %2", "+a"(quotient), "+d"(remainder) : "r"(b));
        bool negative = high >> 31, divisor_negative = b >> 31;
        if (b) expected = divide(negative ? -dividend : dividend, divisor_negative ? -(u64)extend(b, 32) : b, &rest);
        u64 most = negative != divisor_negative ? 0x80000000 : 0x7FFFFFFF;
        fault = b == 0 || expected > most;
        if (negative != divisor_negative) expected = -expected;
        if (negative) rest = -rest;
        format(text, "signed %x:%x / %x: %x rest %x", high, low, b, quotient, remainder);
        tally(&idiv, fault ? trap.vector == DE && quotient == low && remainder == high
                           : trap.vector == NO_TRAP && quotient == (u32)expected && remainder == (u32)rest, text);
    }
    for (u32 i = 0; i < EDGES * EDGES; i++) {
        u32 a = edges[i % EDGES], b = edges[i / EDGES], value = a;
        char text[96];
        probe("divb %b1", "+a"(value) : "q"(b));
        u32 divisor = b & 0xFF, dividend = a & 0xFFFF;
        u64 rest = 0, expected = divisor ? divide(dividend, divisor, &rest) : 0;
        bool fault = !divisor || expected > 0xFF;
        format(text, "8 bits, %x / %x: %x", a, b, value);
        tally(&narrow, fault ? trap.vector == DE && value == a
                             : value == ((a & 0xFFFF0000) | (u32)rest << 8 | (u32)expected), text);
    }
    check_tally("DIV, 64 bits by 32", &div);
    check_tally("IDIV, 64 bits by 32", &idiv);
    check_tally("DIV, 16 bits by 8", &narrow);
    check("some of them overflow", faults > 1000 && faults < EDGES * EDGES * EDGES, true);
}

void multiplication(void) {
    products();
    quotients();
}
