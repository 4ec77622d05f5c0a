/* ADD to NOT, 8, 16 and 32 bits wide. */
#include "integer.h"

/* A ripple-carry adder. */
static struct outcome add_bits(u32 a, u32 b, u32 carry, u32 width) {
    struct outcome o = {0, 0};
    u32 into_sign = 0;
    for (u32 i = 0; i < width; i++) {
        u32 x = a >> i & 1, y = b >> i & 1;
        if (i == width - 1) into_sign = carry;
        o.value |= (x ^ y ^ carry) << i;
        carry = (x & y) | (x & carry) | (y & carry);
        if (i == 3 && carry) o.flags |= EFLAGS_AF;
    }
    if (carry) o.flags |= EFLAGS_CF;
    if (carry != into_sign) o.flags |= EFLAGS_OF;
    o.flags |= sign_zero_parity(o.value, width);
    return o;
}

/* a - b - borrow as a + ~b + 1 - borrow: carries come out inverted. */
static struct outcome subtract_bits(u32 a, u32 b, u32 borrow, u32 width) {
    struct outcome o = add_bits(a, ~b, !borrow, width);
    o.flags ^= EFLAGS_CF | EFLAGS_AF;
    return o;
}

static struct outcome logic_bits(u32 a, u32 b, u32 truth, u32 width) {
    struct outcome o = {0, 0};
    for (u32 i = 0; i < width; i++) o.value |= (truth >> ((a >> i & 1) * 2 + (b >> i & 1)) & 1) << i;
    o.flags = sign_zero_parity(o.value, width);
    return o;
}

enum operation { ADD, ADC, SUB, SBB, CMP, AND, TEST, OR, XOR, INC, DEC, NEG, NOT };

static struct outcome model(enum operation operation, u32 a, u32 b, u32 flags, u32 width) {
    u32 carry = flags & EFLAGS_CF;
    struct outcome o;
    switch (operation) {
    case ADD: return add_bits(a, b, 0, width);
    case ADC: return add_bits(a, b, carry, width);
    case SUB: return subtract_bits(a, b, 0, width);
    case SBB: return subtract_bits(a, b, carry, width);
    case CMP: o = subtract_bits(a, b, 0, width); break;
    case AND: return logic_bits(a, b, 8, width);
    case TEST: o = logic_bits(a, b, 8, width); break;
    case OR: return logic_bits(a, b, 14, width);
    case XOR: return logic_bits(a, b, 6, width);
    case INC: o = add_bits(a, 1, 0, width), o.flags = (o.flags & ~EFLAGS_CF) | carry; return o;
    case DEC: o = subtract_bits(a, 1, 0, width), o.flags = (o.flags & ~EFLAGS_CF) | carry; return o;
    case NEG: return subtract_bits(0, a, 0, width);
    default: return (struct outcome){logic_bits(a, 0, 3, width).value, flags};
    }
    o.value = a & mask_of(width); /* CMP and TEST only set flags */
    return o;
}

typedef void instruction(u32 *a, u32 b, u32 *flags);
#define FLAGGED(code) "pushl %1; popfl; " code "; pushfl; popl %1"
#define TWO(name, op)                                                                                          \
    static void name##8(u32 *a, u32 b, u32 *f) { asm volatile(FLAGGED(op "b %b2, %b0") : "+q"(*a), "+r"(*f) : "q"(b) : "cc"); }   \
    static void name##16(u32 *a, u32 b, u32 *f) { asm volatile(FLAGGED(op "w %w2, %w0") : "+r"(*a), "+r"(*f) : "r"(b) : "cc"); }  \
    static void name##32(u32 *a, u32 b, u32 *f) { asm volatile(FLAGGED(op "l %2, %0") : "+r"(*a), "+r"(*f) : "r"(b) : "cc"); }
#define ONE(name, op)                                                                                          \
    static void name##8(u32 *a, u32 b, u32 *f) { asm volatile(FLAGGED(op "b %b0") : "+q"(*a), "+r"(*f) : : "cc"); }   \
    static void name##16(u32 *a, u32 b, u32 *f) { asm volatile(FLAGGED(op "w %w0") : "+r"(*a), "+r"(*f) : : "cc"); }  \
    static void name##32(u32 *a, u32 b, u32 *f) { asm volatile(FLAGGED(op "l %0") : "+r"(*a), "+r"(*f) : : "cc"); }
TWO(add, "add") TWO(adc, "adc") TWO(sub, "sub") TWO(sbb, "sbb") TWO(cmp, "cmp") TWO(and, "and") TWO(test, "test") TWO(or, "or")
TWO(xor, "xor") ONE(inc, "inc") ONE(dec, "dec") ONE(neg, "neg") ONE(not, "not")

#define ROW(name, op, undefined) {#op, op, {name##8, name##16, name##32}, undefined}
static const struct { const char *name; enum operation operation; instruction *code[3]; u32 undefined; } table[] = {
    ROW(add, ADD, 0), ROW(adc, ADC, 0), ROW(sub, SUB, 0), ROW(sbb, SBB, 0), ROW(cmp, CMP, 0), ROW(and, AND, EFLAGS_AF),
    ROW(test, TEST, EFLAGS_AF), ROW(or, OR, EFLAGS_AF), ROW(xor, XOR, EFLAGS_AF), ROW(inc, INC, 0), ROW(dec, DEC, 0),
    ROW(neg, NEG, 0), ROW(not, NOT, 0),
};

static void in_registers(void) {
    static const u32 widths[] = {8, 16, 32};
    for (u32 row = 0; row < length_of(table); row++)
        for (u32 w = 0; w < 3; w++) {
            struct tally t = {0};
            u32 width = widths[w], mask = mask_of(width), defined = EFLAGS_STATUS & ~table[row].undefined;
            for (u32 i = 0; i < EDGES * EDGES * 2; i++) {
                u32 a = edges[i / 2 % EDGES], b = edges[i / 2 / EDGES], before = i & 1 ? EFLAGS_STATUS | 2 : 2;
                u32 value = a, flags = before;
                table[row].code[w](&value, b, &flags);
                struct outcome o = model(table[row].operation, a, b, before & EFLAGS_STATUS, width);
                char text[96];
                format(text, "%x, %x: %x flags %x", a, b, value, flags);
                bool rest = (value & ~mask) == (a & ~mask); /* the other parts of the register stay */
                tally(&t, rest && (value & mask) == (o.value & mask) && !((flags ^ o.flags) & defined), text);
            }
            char name[32];
            format(name, "%s, %u bits", table[row].name, width);
            check_tally(name, &t);
        }
}

/* The same operation with memory operands and immediates, once each. */
static void other_operands(void) {
    static u32 cell;
    u32 flags;
    cell = 0x7FFFFFFF;
    asm volatile("addl $1, %0; pushfl; popl %1" : "+m"(cell), "=r"(flags) : : "cc");
    check("ADD m32, imm8: result", cell, 0x80000000);
    check("ADD m32, imm8: flags", flags & EFLAGS_STATUS, EFLAGS_OF | EFLAGS_SF | EFLAGS_AF | EFLAGS_PF);
    asm volatile("subb $0x81, 3+%0" : "+m"(cell) : : "cc");
    check("SUB m8, imm8 changes one byte", cell, 0xFF000000);
    asm volatile("orw $-2, %0" : "+m"(cell) : : "cc");
    check("OR m16, imm8 extends the sign", cell, 0xFF00FFFE);
    u32 eax = 0x12345678;
    asm volatile("xorb %%ah, %%al; addb %%al, %%ah" : "+a"(eax) : : "cc");
    check("AH and AL are parts of EAX", eax, 0x1234842E);
    asm volatile("adcl $0x7FFFFFFF, %%eax; pushfl; popl %1" : "+a"(eax), "=r"(flags) : "m"(cell) : "cc");
    check("ADC EAX, imm32 after no carry", eax, 0x1234842E + 0x7FFFFFFFu + 0);
}

void arithmetic(void) {
    in_registers();
    other_operands();
}
