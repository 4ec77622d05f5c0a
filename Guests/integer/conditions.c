/* The sixteen conditions in Jcc, SETcc and CMOVcc over all 32 states of their flags (SDM 1 appendix B). */
#include "integer.h"

static bool condition(u32 number, u32 flags) {
    bool cf = flags & EFLAGS_CF, zf = flags & EFLAGS_ZF, sf = flags & EFLAGS_SF, of = flags & EFLAGS_OF, pf = flags & EFLAGS_PF;
    bool value = false;
    switch (number >> 1) {
    case 0: value = of; break;
    case 1: value = cf; break;
    case 2: value = zf; break;
    case 3: value = cf || zf; break;
    case 4: value = sf; break;
    case 5: value = pf; break;
    case 6: value = sf != of; break;
    case 7: value = zf || sf != of; break;
    }
    return value != (number & 1);
}

/* For each condition: short Jcc, near Jcc, SETcc and CMOVcc give bits 0 to 3 of EAX; flags are in EDX. */
extern const u8 tests[16][64], moves_by_condition[16][16];
asm(".pushsection .text\n"
    ".p2align 6\ntests: .set cc, 0; .rept 16; .p2align 6\n"
    "xorl %eax, %eax; pushl %edx; popfl; .byte 0x70 + cc, 2; jmp 1f; orb $1, %al; 1:\n"
    "pushl %edx; popfl; .byte 0x0F, 0x80 + cc; .long 2; jmp 1f; orb $2, %al; 1:\n"
    "pushl %edx; popfl; .byte 0x0F, 0x90 + cc, 0xC1; shlb $2, %cl; orb %cl, %al; ret\n" /* SETcc CL */
    ".set cc, cc + 1; .endr\n"
    ".p2align 4\nmoves_by_condition: .set cc, 0; .rept 16; .p2align 4\n"
    "pushl %edx; popfl; .byte 0x0F, 0x40 + cc, 0xC1; ret\n" /* CMOVcc EAX, ECX */
    ".set cc, cc + 1; .endr\n"
    ".popsection");

void conditions(void) {
    bool cmov = cpu_has(CPU_CMOV);
    struct tally moved = {0};
    for (u32 cc = 0; cc < 16; cc++) {
        struct tally t = {0};
        for (u32 i = 0; i < 32; i++) {
            u32 flags = (i & 1 ? EFLAGS_CF : 0) | (i & 2 ? EFLAGS_ZF : 0) | (i & 4 ? EFLAGS_SF : 0) | (i & 8 ? EFLAGS_OF : 0)
                        | (i & 16 ? EFLAGS_PF : 0) | 2;
            u32 got, expected = condition(cc, flags) ? 7 : 0;
            char text[64];
            asm volatile("call *%1" : "=a"(got) : "r"(tests[cc]), "d"(flags), "c"(0) : "cc", "memory");
            format(text, "flags %x: %x", flags, got);
            tally(&t, got == expected, text);
            if (!cmov) continue;
            u32 value = 0x11111111;
            asm volatile("call *%1" : "+a"(value) : "r"(moves_by_condition[cc]), "d"(flags), "c"(0x22222222) : "cc", "memory");
            tally(&moved, value == (expected ? 0x22222222 : 0x11111111), text);
        }
        char name[48];
        format(name, "condition %u: Jcc short and near, SETcc", cc);
        check_tally(name, &t);
    }
    if (cmov) check_tally("CMOVcc, all conditions", &moved);
    else skip("CMOVcc", "CMOV");

    /* The same after operations, where a lazy evaluation of flags has its traps. */
    struct tally compared = {0};
    for (u32 i = 0; i < EDGES * EDGES; i++) {
        u32 a = edges[i % EDGES], b = edges[i / EDGES];
        u8 below, above, less, greater, equal;
        asm volatile("cmpl %6, %5; setb %0; seta %1; setl %2; setg %3; sete %4"
                     : "=m"(below), "=m"(above), "=m"(less), "=m"(greater), "=m"(equal) : "r"(a), "r"(b) : "cc");
        i64 x = (i32)a, y = (i32)b;
        char text[64];
        format(text, "%x, %x", a, b);
        bool unsigned_right = below == ((u64)a < b) && above == ((u64)a > b);
        tally(&compared, unsigned_right && less == (x < y) && greater == (x > y) && equal == (a == b), text);
    }
    check_tally("CMP and the five orders", &compared);

    u32 count = 5, loops = 0;
    asm volatile("1: incl %1; loop 1b" : "+c"(count), "+r"(loops) : : "cc");
    check("LOOP five times", loops, 5);
    count = 5, loops = 0;
    asm volatile("1: incl %1; cmpl $3, %1; loopne 1b" : "+c"(count), "+r"(loops) : : "cc");
    check("LOOPNE until equal", loops * 16 + count, 3 * 16 + 2);
    count = 5, loops = 0;
    asm volatile("1: incl %1; cmpl $1, %1; loope 1b" : "+c"(count), "+r"(loops) : : "cc");
    check("LOOPE while equal", loops * 16 + count, 2 * 16 + 3);
    count = 0, loops = 0;
    asm volatile("jecxz 1f; incl %1; 1:" : "+c"(count), "+r"(loops));
    check("JECXZ with ECX zero", loops, 0);
    count = 0x10000;
    asm volatile("jcxz 1f; incl %1; 1: jecxz 2f; addl $2, %1; 2:" : "+c"(count), "+r"(loops));
    check("JCXZ looks at CX, JECXZ at ECX", loops, 2);
}
