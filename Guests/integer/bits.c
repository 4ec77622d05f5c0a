/* Single bits: BT and its kin in registers and far from their base in memory, BSF, BSR, BSWAP; and the exchanges. */
#include "integer.h"

enum operation { BT, BTS, BTR, BTC };

static u32 after(enum operation operation, u32 value, u32 bit) {
    switch (operation) {
    case BTS: return value | 1u << bit;
    case BTR: return value & ~(1u << bit);
    case BTC: return value ^ 1u << bit;
    default: return value;
    }
}

#define BIT(name, op)                                                                                                   \
    static u32 name##_register(u32 *value, u32 bit) {                                                                   \
        u32 carry;                                                                                                      \
        asm volatile(op "l %2, %0; sbbl %1, %1" : "+r"(*value), "=r"(carry) : "r"(bit) : "cc");                         \
        return carry & 1;                                                                                               \
    }                                                                                                                   \
    static u32 name##_memory(u32 *base, u32 bit) {                                                                      \
        u32 carry;                                                                                                      \
        asm volatile(op "l %2, (%1); sbbl %0, %0" : "=r"(carry) : "r"(base), "r"(bit) : "cc", "memory");               \
        return carry & 1;                                                                                               \
    }
BIT(bt, "bt") BIT(bts, "bts") BIT(btr, "btr") BIT(btc, "btc")
#define ROW(name, op) {#op, op, name##_register, name##_memory}
static const struct {
    const char *name;
    enum operation operation;
    u32 (*in_register)(u32 *, u32), (*in_memory)(u32 *, u32);
} table[] = {
    ROW(bt, BT), ROW(bts, BTS), ROW(btr, BTR), ROW(btc, BTC),
};

static void single_bits(void) {
    static u32 words[64];
    for (u32 row = 0; row < length_of(table); row++) {
        struct tally registers = {0}, memory = {0};
        char text[96], name[64];
        for (u32 i = 0; i < EDGES * 70; i++) {
            u32 a = edges[i % EDGES], bit = i / EDGES, value = a, n = bit % 32;
            u32 carry = table[row].in_register(&value, bit);
            format(text, "%x bit %u: %x carry %u", a, bit, value, carry);
            tally(&registers, value == after(table[row].operation, a, n) && carry == (a >> n & 1), text);
        }
        for (i32 bit = -1000; bit < 1000; bit += 37) { /* bit offsets are signed and reach beyond the operand */
            for (u32 i = 0; i < 64; i++) words[i] = 0x9E3779B9 * (i + 1);
            u32 *base = words + 32, index = (u32)(1024 + bit) / 32, n = (u32)(1024 + bit) % 32, before = words[index];
            u32 carry = table[row].in_memory(base, (u32)bit);
            format(text, "bit %x: %x carry %u", (u32)bit, words[index], carry);
            tally(&memory, words[index] == after(table[row].operation, before, n) && carry == (before >> n & 1), text);
        }
        format(name, "%s in a register", table[row].name);
        check_tally(name, &registers);
        format(name, "%s in memory, offsets -1000 to 999", table[row].name);
        check_tally(name, &memory);
    }
}

static void scans(void) {
    struct tally forward = {0}, reverse = {0}, swap = {0};
    for (u32 i = 0; i < EDGES; i++) {
        u32 a = edges[i], low = 0, high = 0, value = 0x5A5A5A5A, flags;
        char text[64];
        for (u32 bit = 0; bit < 32; bit++)
            if (a >> bit & 1) high = bit;
        for (u32 bit = 32; bit-- > 0;)
            if (a >> bit & 1) low = bit;
        asm volatile("bsfl %2, %0; pushfl; popl %1" : "+r"(value), "=r"(flags) : "r"(a) : "cc");
        format(text, "%x: %x flags %x", a, value, flags);
        tally(&forward, a ? value == low && !(flags & EFLAGS_ZF) : flags & EFLAGS_ZF, text);
        asm volatile("bsrl %2, %0; pushfl; popl %1" : "+r"(value), "=r"(flags) : "r"(a) : "cc");
        format(text, "%x: %x flags %x", a, value, flags);
        tally(&reverse, a ? value == high && !(flags & EFLAGS_ZF) : flags & EFLAGS_ZF, text);
        value = a;
        asm volatile("bswap %0" : "+r"(value));
        format(text, "%x: %x", a, value);
        tally(&swap, value == ((a & 0xFF) << 24 | (a & 0xFF00) << 8 | (a >> 8 & 0xFF00) | a >> 24), text);
    }
    check_tally("BSF", &forward);
    check_tally("BSR", &reverse);
    check_tally("BSWAP", &swap);
}

static void exchanges(void) {
    u32 a = 0x11111111, b = 0x22222222, flags;
    static u32 cell;
    asm volatile("xchgl %0, %1" : "+r"(a), "+r"(b));
    check("XCHG r, r", a == 0x22222222 && b == 0x11111111, true);
    cell = 5;
    asm volatile("lock xaddl %0, %1; pushfl; popl %2" : "+r"(a), "+m"(cell), "=&r"(flags) : : "cc");
    check("XADD: memory", cell, 0x22222227);
    check("XADD: register", a, 5);
    a = 0x22222227;
    asm volatile("cmpxchgl %3, %1; pushfl; popl %2" : "+a"(a), "+m"(cell), "=&r"(flags) : "r"(7) : "cc");
    check("CMPXCHG, equal: memory", cell, 7);
    check("CMPXCHG, equal: ZF", flags & EFLAGS_ZF, EFLAGS_ZF);
    asm volatile("cmpxchgl %3, %1; pushfl; popl %2" : "+a"(a), "+m"(cell), "=&r"(flags) : "r"(9) : "cc");
    check("CMPXCHG, not equal: accumulator", a, 7);
    check("CMPXCHG, not equal: memory", cell, 7);
    check("CMPXCHG, not equal: flags of CMP", flags & EFLAGS_STATUS, 0);
    if (!cpu_has(CPU_CX8)) return skip("CMPXCHG8B", "CX8");
    static u64 wide = 0x1122334455667788;
    u32 low = 0x55667788, high = 0x11223344;
    asm volatile("cmpxchg8b %2; pushfl; popl %3"
                 : "+a"(low), "+d"(high), "+m"(wide), "=&S"(flags) : "b"(0xAAAAAAAA), "c"(0xBBBBBBBB) : "cc");
    check("CMPXCHG8B, equal: memory", wide == 0xBBBBBBBBAAAAAAAA, true);
    check("CMPXCHG8B, equal: ZF", flags & EFLAGS_ZF, EFLAGS_ZF);
    asm volatile("cmpxchg8b %2; pushfl; popl %3"
                 : "+a"(low), "+d"(high), "+m"(wide), "=&S"(flags) : "b"(1), "c"(2) : "cc");
    check("CMPXCHG8B, not equal: registers", low == 0xAAAAAAAA && high == 0xBBBBBBBB, true);
    check("CMPXCHG8B, not equal: ZF", flags & EFLAGS_ZF, 0);
}

void bits(void) {
    single_bits();
    scans();
    exchanges();
}
