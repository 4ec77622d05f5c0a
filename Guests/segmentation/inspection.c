/* LAR, LSL, VERR, VERW and ARPL over every descriptor (SDM 2A/2B, each instruction's page). */
#include "segmentation.h"

enum { SELECTOR = SPARE(0), UNTOUCHED = 0x5A5A5A5A };
/* Bits 19:16, where the limit was, are undefined. */
enum { LAR_DEFINED = 0x00F0FF00 };

static bool is_segment(u32 access) { return access & 0x10; }
static bool is_code(u32 access) { return is_segment(access) && access & 8; }

static bool visible(u32 access, u32 rpl, u32 cpl) {
    if (is_code(access) && access & 4) return true; /* conforming */
    u32 dpl = access >> 5 & 3;
    return rpl <= dpl && cpl <= dpl;
}

/* System descriptor types, SDM 2A table 3-53 (LAR) and 3-55 (LSL). */
static bool lar_knows(u32 access) { return is_segment(access) || 1u << (access & 15) & 0x1A3E; }
static bool lsl_knows(u32 access) { return is_segment(access) || 1u << (access & 15) & 0x0A0E; }

struct answer { u32 lar, lsl, zf; }; /* ZF of LAR, LSL, VERR, VERW in bits 0 to 3 */
static struct answer answer;

#define ASK                                                                                           \
    "larl %%eax, %%edx; sete %%bl\n\t"                                                                \
    "lsll %%eax, %%esi; sete %%bh\n\t"                                                                \
    "verr %%ax; sete %%cl\n\t"                                                                        \
    "verw %%ax; sete %%ch\n\t"

static void ask(u32 selector, u32 cpl) {
    u32 lar = UNTOUCHED, lsl = UNTOUCHED, first = 0, second = 0;
    if (cpl == 0) {
        probe(ASK, "+d"(lar), "+S"(lsl), "+b"(first), "+c"(second) : "a"(selector));
    } else {
        probe_outer(ASK, "+d"(lar), "+S"(lsl), "+b"(first), "+c"(second) : "a"(selector));
    }
    answer.lar = lar;
    answer.lsl = lsl;
    answer.zf = (first & 1) | (first >> 8 & 1) << 1 | (second & 1) << 2 | (second >> 8 & 1) << 3;
}

static void every_descriptor(u32 cpl) {
    struct tally lar = {0}, lsl = {0}, verr = {0}, verw = {0};
    for (u32 access = 0; access < 256; access++)
        for (u32 rpl = 0; rpl < 4; rpl++) {
            char text[64];
            u64 value = descriptor(0x12345678, 0x9ABCD, access, access & 1 ? FLAT : BIG);
            set_gdt(SELECTOR, value);
            ask(SELECTOR | rpl, cpl);
            format(text, "access %x RPL %u: LAR %x LSL %x ZF %x", access, rpl, answer.lar, answer.lsl, answer.zf);
            bool seen = visible(access, rpl, cpl);
            bool knows = seen && lar_knows(access);
            u32 wrong = knows ? (answer.lar ^ (u32)(value >> 32)) & LAR_DEFINED : answer.lar ^ UNTOUCHED;
            tally(&lar, (answer.zf & 1) == knows && !wrong, text);
            knows = seen && lsl_knows(access);
            u32 limit = access & 1 ? 0x9ABCDFFF : 0x9ABCD;
            tally(&lsl, (answer.zf >> 1 & 1) == knows && answer.lsl == (knows ? limit : UNTOUCHED), text);
            bool readable = seen && is_segment(access) && (!is_code(access) || access & 2);
            bool writable = seen && is_segment(access) && !is_code(access) && access & 2;
            tally(&verr, (answer.zf >> 2 & 1) == readable, text);
            tally(&verw, (answer.zf >> 3 & 1) == writable, text);
        }
    check_tally(cpl ? "LAR of every descriptor, ring 3" : "LAR of every descriptor, ring 0", &lar);
    check_tally(cpl ? "LSL of every descriptor, ring 3" : "LSL of every descriptor, ring 0", &lsl);
    check_tally(cpl ? "VERR of every descriptor, ring 3" : "VERR of every descriptor, ring 0", &verr);
    check_tally(cpl ? "VERW of every descriptor, ring 3" : "VERW of every descriptor, ring 0", &verw);
}

static void unusable_selectors(void) {
    static const struct { const char *name; u32 selector; } table[] = {
        {"LAR, LSL, VERR, VERW of null", 0},
        {"LAR, LSL, VERR, VERW of null with an RPL", 3},
        {"LAR, LSL, VERR, VERW beyond the GDT", GDT_ENTRIES * 8},
        {"LAR, LSL, VERR, VERW of an LDT that is null", 0x0C},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        ask(table[i].selector, 0);
        check(table[i].name, answer.zf | (answer.lar ^ UNTOUCHED) | (answer.lsl ^ UNTOUCHED), 0);
    }
    set_gdt(SELECTOR, descriptor(0, 0x12345, DATA_RW | ACCESSED, BIG));
    u32 lar = UNTOUCHED, lsl = UNTOUCHED;
    asm volatile("larw %w2, %w0; lslw %w2, %w1" : "+r"(lar), "+r"(lsl) : "r"(SELECTOR) : "cc");
    check("16-bit LAR", lar, (UNTOUCHED & 0xFFFF0000) | (DATA_RW | ACCESSED) << 8);
    check("16-bit LSL", lsl, (UNTOUCHED & 0xFFFF0000) | 0x2345);
}

static void adjust_rpl(void) {
    struct tally t = {0};
    for (u32 to = 0; to < 4; to++)
        for (u32 from = 0; from < 4; from++) {
            u32 value = 0xABCD1230 | to, flags;
            asm volatile("arpl %w2, %w0; pushfl; popl %1" : "+r"(value), "=r"(flags) : "r"(0x4560 | from) : "cc");
            bool raised = from > to;
            char text[64];
            format(text, "%u by %u: %x flags %x", to, from, value, flags);
            tally(&t, value == (0xABCD1230 | (raised ? from : to)) && !!(flags & EFLAGS_ZF) == raised, text);
        }
    check_tally("ARPL of every pair", &t);
    static u16 memory = 0x1230;
    asm volatile("arpl %w1, %0" : "+m"(memory) : "r"(3) : "cc");
    check("ARPL to memory", memory, 0x1233);
}

void inspection(void) {
    every_descriptor(0);
    every_descriptor(3);
    unusable_selectors();
    adjust_rpl();
}
