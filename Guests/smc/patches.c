/* Patches from outside, from the same page, from the same stream, and by every kind of store. */
#include "smc.h"

/* A constant of a function changes between calls. */
static void between_calls(void) {
    u32 right = 0;
    for (u32 i = 0; i < 200; i++) {
        write_return(arena, i * 0x01010101);
        right += call(arena) == i * 0x01010101;
    }
    check("a function rewritten before each of 200 calls", right, 200);
    right = 0;
    write_return(arena, 0);
    for (u32 i = 0; i < 200; i++) {
        arena[1] = i; /* one byte of its constant */
        right += call(arena) == i;
    }
    check("one byte of a constant, 200 times", right, 200);
    for (u32 i = 0; i < 50; i++) call(arena); /* hot */
    arena[0] = 0x2D;                          /* SUB EAX, imm32 */
    u32 result;
    asm volatile("call *%1" : "=a"(result) : "r"(arena), "0"(1000) : "memory", "cc");
    check("an opcode byte", result, 1000 - 199);
    for (u32 i = 0; i < 20; i++) {
        arena[0] = i & 1 ? 0x05 : 0x2D; /* ADD and SUB in turn */
        asm volatile("call *%1" : "=a"(result) : "r"(arena), "0"(1000) : "memory", "cc");
        if (result != (i & 1 ? 1199 : 801)) break;
    }
    check("an opcode byte, in turn", result, 1199);
}

/* Stores of every kind into code that has run. */
static void by_every_store(void) {
    static const u32 source = 0x22222222;
    u32 value;
#define STORED(name, value, code, operands...)                   \
    write_return(arena, 0x11111111);                             \
    call(arena), call(arena);                                    \
    asm volatile(code : : operands : "eax", "memory", "cc");     \
    check("patched by " name, call(arena), value)
    u8 *constant = arena + 1;
    STORED("MOV", 0x22222222, "movl %0, (%1)", "r"(source), "r"(constant));
    STORED("MOV of a byte", 0x11112211, "movb $0x22, 1(%0)", "r"(constant));
    STORED("MOV of a word", 0x22221111, "movw $0x2222, 2(%0)", "r"(constant));
    STORED("ADD", 0x11111112, "addl $1, (%0)", "r"(constant));
    STORED("XOR with LOCK", 0x11111011, "lock xorl $0x100, (%0)", "r"(constant));
    STORED("INC", 0x11111112, "incb (%0)", "r"(constant));
    STORED("NEG", 0xEEEEEEEF, "negl (%0)", "r"(constant));
    STORED("BTS", 0x91111111, "btsl $31, (%0)", "r"(constant));
    STORED("SHL", 0x22222222, "shll $1, (%0)", "r"(constant));
    STORED("SETC", 0x11111101, "stc; setc (%0)", "r"(constant));
    STORED("XCHG", 0x33333333, "movl $0x33333333, %%eax; xchgl %%eax, (%0)", "c"(constant));
    STORED("CMPXCHG", 0x44444444, "movl $0x11111111, %%eax; cmpxchgl %1, (%0)", "c"(constant), "r"(0x44444444));
    STORED("XADD", 0x33333333, "movl $0x22222222, %%eax; xaddl %%eax, (%0)", "c"(constant));
    STORED("POP to memory", 0x55555555, "pushl $0x55555555; popl (%0)", "r"(constant));
    STORED("FISTP", 0x66666666, "fninit; fildl %1; fistpl (%0)", "r"(constant), "m"(*(const u32[]){0x66666666}));
    STORED("FNSTCW", 0x1111037F, "fninit; fnstcw (%0)", "r"(constant));
    STORED("SIDT", 0x111107FF, "sidt (%0); movw $0x1111, 2(%0); movb $0xC3, 4(%0)", "r"(constant));
#undef STORED
    write_return(arena, 0x11111111);
    call(arena);
    asm volatile("rep stosb" : : "D"(constant), "c"(4), "a"(0x77) : "memory");
    value = call(arena);
    check("patched by REP STOSB", value, 0x77777777);
    u8 other[6];
    write_return(other, 0x88888888);
    void *to = arena;
    const void *from = other;
    u32 count = 6;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    check("patched by REP MOVSB", call(arena), 0x88888888);
    /* A stack in the code's page: PUSH writes the constant. */
    u32 saved;
    asm volatile("movl %%esp, %0; movl %1, %%esp; pushl $0x99999999; movl %0, %%esp" : "=&r"(saved) : "r"(constant + 4) : "memory");
    check("patched by PUSH", call(arena), 0x99999999);
    asm volatile("movl %%esp, %0; movl %1, %%esp; call 1f; 1: movl %0, %%esp" : "=&r"(saved) : "r"(constant + 4) : "memory");
    u32 address = call(arena);
    check("patched by CALL's return address", address > 0x100000 && address < 0x200000 && address == *(u32 *)constant, true);
}

/* Code that patches itself, with a jump before what it patched. */
SNIPPET(next, "movl $0x600D, %eax; movl %eax, 1f + 1; jmp 1f; 1: movl $0xBAD, %eax; ret");
SNIPPET(behind, "movl $0xBAD, %eax\n"           /* 0: patched on the second pass */
                "testl %ecx, %ecx; jnz 1f; ret\n"
                "1: movl $0x600D, behind + 1; xorl %ecx, %ecx; jmp behind");
SNIPPET(counting_loop, "movl $0, counting_loop + 20\n" /* 0: ten bytes; the constant below */
                       "movl $10, %ecx\n"              /* 10 */
                       "xorl %eax, %eax; nop; nop\n"   /* 15: loop at 19 */
                       "1: addl $0x11223344, %eax\n"   /* opcode at 19 (05), constant at 20 */
                       "addl $3, counting_loop + 20\n"
                       "decl %ecx; jnz 1b; ret");
SNIPPET(nops, "movl $0x90909090, 1f; movw $0x9090, 1f + 4; xorl %eax, %eax; jmp 1f\n"
              "1: movl $0xBAD, %eax; nop; incl %eax; ret"); /* becomes six NOPs, then INC */
SNIPPET(lengthens, "xorl %eax, %eax; movb $0x05, 1f; jmp 1f\n"   /* INC EAX and bytes become ADD EAX, imm32 */
                   "1: incl %eax; .byte 0x40, 0x40, 0x40, 0x40; ret");

static void in_stream(void) {
    check("the instruction after a jump", call(next), 0x600D);
    check("the same again", call(next), 0x600D);
    u32 result;
    asm volatile("call *%1" : "=a"(result) : "r"(behind), "c"(1) : "memory", "cc");
    check("an instruction behind, run again", result, 0x600D);
    check("a loop that raises its own constant", call(counting_loop), 3 * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9));
    check("a loop that raises its own constant, again", call(counting_loop), 135);
    check("an instruction that becomes NOPs", call(nops), 1);
    check("an instruction that becomes longer", call(lengthens), 0x40404040);
}

/* Data next to code, in the same page and the same line: neither disturbs the other. */
static void data_beside_code(void) {
    /* INC dword [data]; MOV EAX, [data]; RET, with the data right behind. */
    u32 data = (u32)arena + 64;
    u8 *at = arena;
    *at++ = 0xFF, *at++ = 0x05, memcpy(at, &data, 4), at += 4;
    *at++ = 0xA1, memcpy(at, &data, 4), at += 4;
    *at++ = 0xC3;
    *(u32 *)data = 0;
    u32 sum = 0;
    for (u32 i = 0; i < 1000; i++) sum += call(arena);
    check("code that counts in its own page, 1,000 calls", sum, 500500);
}

/* The function patched is the one that will be returned to. */
SNIPPET(patches_caller, "movl (%esp), %ecx; movb $0x2A, 1(%ecx); ret"); /* MOV AL, imm8 follows the call */
SNIPPET(patched_caller, "call patches_caller; movb $0x11, %al; movzbl %al, %eax; ret");

void patches(void) {
    between_calls();
    by_every_store();
    in_stream();
    data_beside_code();
    check("a caller patched by what it called", call(patched_caller), 0x2A);
}
