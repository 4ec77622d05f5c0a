/* Extensions, addresses, the stack, ENTER and LEAVE, and the small flag instructions. */
#include "integer.h"

static void extensions(void) {
    struct tally t = {0};
    for (u32 i = 0; i < EDGES; i++) {
        u32 a = edges[i], zero8, zero16, sign8, sign16, half = 0xAAAAAAAA;
        char text[96];
        asm volatile("movzbl %b1, %0" : "=r"(zero8) : "q"(a));
        asm volatile("movzwl %w1, %0" : "=r"(zero16) : "r"(a));
        asm volatile("movsbl %b1, %0" : "=r"(sign8) : "q"(a));
        asm volatile("movswl %w1, %0" : "=r"(sign16) : "r"(a));
        asm volatile("movsbw %b1, %w0" : "+r"(half) : "q"(a));
        format(text, "%x: %x %x %x %x", a, zero8, zero16, sign8, sign16);
        u32 byte = a & 0xFF, word = a & 0xFFFF, wide = byte >= 0x80 ? 0xFFFFFF00 | byte : byte;
        bool right = zero8 == byte && zero16 == word && sign8 == wide;
        right = right && sign16 == (word >= 0x8000 ? 0xFFFF0000 | word : word) && half == (0xAAAA0000 | (wide & 0xFFFF));
        tally(&t, right, text);
        u32 eax = a, edx = 0xAAAAAAAA;
        asm volatile("cbtw" : "+a"(eax));
        right = eax == ((a & 0xFFFF0000) | (wide & 0xFFFF));
        eax = a;
        asm volatile("cwtl" : "+a"(eax));
        right = right && eax == sign16;
        eax = a;
        asm volatile("cltd" : "+a"(eax), "=d"(edx));
        right = right && edx == (a >> 31 ? 0xFFFFFFFF : 0);
        edx = 0xAAAA0000;
        asm volatile("cwtd" : "+a"(eax), "+d"(edx));
        right = right && edx == (0xAAAA0000 | (a >> 15 & 1 ? 0xFFFF : 0));
        format(text, "CBW, CWDE, CDQ, CWD of %x", a);
        tally(&t, right, text);
    }
    check_tally("MOVZX, MOVSX, CBW, CWDE, CWD, CDQ", &t);
}

static void addresses(void) {
    u32 value;
    asm volatile("leal 0x10(%1,%2,8), %0" : "=r"(value) : "r"(0x1000), "r"(3));
    check("LEA base, index, scale", value, 0x1028);
    asm volatile("leal -1(,%1,4), %0" : "=r"(value) : "r"(0x40000001));
    check("LEA wraps", value, 3);
    value = 0xAAAAAAAA;
    asm volatile("leaw 5(%1), %w0" : "+r"(value) : "r"(0x1234FFFE));
    check("LEA to 16 bits", value, 0xAAAA0003);
    static const u8 table[256] = {[0x80] = 0x42};
    value = 0xFFFFFF80;
    asm volatile("xlatb" : "+a"(value) : "b"(table));
    check("XLAT", value, 0xFFFFFF42);
    asm volatile("movl $0x12345678, %0; movb $0xEF, %b0; movb $0xCD, %h0" : "=q"(value));
    check("byte registers are parts of their register", value, 0x1234CDEF);
}

static void stack(void) {
    u32 before, after, value, other;
    asm volatile("movl %%esp, %0; pushl %%esp; popl %1" : "=&r"(before), "=&r"(value));
    check("PUSH ESP pushes it as it was", value, before);
    asm volatile("movl %%esp, %0; pushl $0x1234; pushl %%esp; popl %%esp; popl %1; movl %%esp, %2"
                 : "=&r"(before), "=&r"(value), "=&r"(after));
    check("POP ESP loads what was pushed", value == 0x1234 && before == after, true);
    asm volatile("pushw $-2; pushw $0x1234; popl %0" : "=r"(value));
    check("two words make a doubleword", value, 0xFFFE1234);
    asm volatile("pushl $-3; popl %0" : "=r"(value));
    check("PUSH imm8 extends the sign", value, 0xFFFFFFFD);
    /* The address is taken after the pop: the 9 goes over the 5, above the 7. */
    asm volatile("pushl $5; pushl $7; pushl $9; popl 4(%%esp); popl %0; popl %1" : "=&r"(value), "=&r"(other));
    check("POP [ESP+4] uses ESP after the increment", value, 7);
    check("and wrote above", other, 9);
}

/* PUSHA and POPA: the order, and that POPA skips ESP. */
static void all_registers(void) {
    u32 image[8], right;
    asm volatile("pushl %%ebp; pushal; movl %%esp, %%esi; movl %1, %%edi; movl $8, %%ecx; cld; rep movsl\n"
                 "movl $0xBAD, 12(%%esp); popal; popl %%ebp; movl $1, %0" /* the ESP image does not count */
                 : "=a"(right) : "r"(image), "b"(0xB), "d"(0xD) : "ecx", "esi", "edi", "memory", "cc");
    check("PUSHA: EBX and EDX in their places", image[4] == 0xB && image[5] == 0xD, true);
    check("POPA skips ESP", right, 1);
}

static void frames(void) {
    u32 saved_ebp, ebp, esp, before, links[3];
    asm volatile("movl %%ebp, %0; movl %%esp, %3; enter $32, $0; movl %%ebp, %1; movl %%esp, %2; leave"
                 : "=&a"(saved_ebp), "=&c"(ebp), "=&d"(esp), "=&b"(before) : : "memory");
    check("ENTER 32, 0: EBP", before - ebp, 4);
    check("ENTER 32, 0: ESP", ebp - esp, 32);
    asm volatile("movl %%ebp, %0" : "=r"(ebp));
    check("LEAVE restores EBP", ebp, saved_ebp);
    /* Nested: a frame with a display of three frame pointers, copied from the frame around it. */
    asm volatile("pushl %%ebp\n"
                 "movl %%esp, %%ebp; pushl $0x1111; pushl $0x2222; pushl $0x3333\n" /* -4, -8, -12 of the outer frame */
                 "movl %%esp, %%ebx\n"
                 "enter $8, $3\n"
                 "movl -4(%%ebp), %0; movl -8(%%ebp), %1; movl -12(%%ebp), %2\n"
                 "subl %%esp, %%ebx; subl %%ebp, %2\n"
                 "leave; addl $12, %%esp; popl %%ebp"
                 : "=&a"(links[0]), "=&c"(links[1]), "=&d"(links[2]), "=&b"(before) : : "memory", "cc");
    check("ENTER 8, 3 copies the outer display", links[0] << 16 | links[1], 0x11112222);
    check("ENTER 8, 3 adds its own frame pointer", links[2], 0);
    check("ENTER 8, 3 moves ESP", before, 4 + 12 + 8);
}

static void flag_instructions(void) {
    u32 flags;
    asm volatile("stc; cmc; pushfl; popl %0" : "=r"(flags) : : "cc");
    check("STC, CMC", flags & EFLAGS_CF, 0);
    asm volatile("clc; cmc; pushfl; popl %0" : "=r"(flags) : : "cc");
    check("CLC, CMC", flags & EFLAGS_CF, EFLAGS_CF);
    asm volatile("std; pushfl; cld; popl %0" : "=r"(flags) : : "cc");
    check("STD", flags & EFLAGS_DF, EFLAGS_DF);
    asm volatile("pushl $0x8D7; popfl; lahf; movl %%eax, %0" : "=r"(flags) : : "eax", "cc");
    check("LAHF", flags >> 8 & 0xFF, 0xD7);
    asm volatile("pushl $0x802; popfl; movb $0xFF, %%ah; sahf; pushfl; popl %0" : "=r"(flags) : : "eax", "cc");
    check("SAHF leaves OF alone", flags & EFLAGS_STATUS, EFLAGS_STATUS);
    u32 al;
    asm volatile("stc; .byte 0xD6; movzbl %%al, %0" : "=r"(al) : : "eax", "cc"); /* SALC */
    check("SALC", al, 0xFF);
}

void moves(void) {
    extensions();
    addresses();
    stack();
    all_registers();
    frames();
    flag_instructions();
}
