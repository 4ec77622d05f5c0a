/* 16-bit code and stack segments under a 32-bit kernel (SDM 3A 3.4.5 "D/B", chapter 21). */
#include "segmentation.h"

/* MOV AX, imm16; JMP rel8 past a trap; PUSH/POP of words; 32-bit operands by prefix; report ESP's move in ECX. */
SNIPPET(sizes, ".code16\n"
               "movl %esp, %ecx\n"
               "movw $0x1234, %ax\n"
               "pushw %ax\n"
               "subl %esp, %ecx\n"
               "popw %bx\n"
               "movl $0x89ABCDEF, %edx\n"
               "int $0x30");
/* IP is 16 bits wide: a relative jump from here wraps round to the front. */
SNIPPET(wraps, ".code16\n"
               "jmp 1f\n"
               "2: movw $0x7E57, %ax\n"
               "int $0x30\n"
               "1: movw $2b - wraps, %si\n"
               "addw $0, %si\n"
               "movl $0xABCD0000 + 2, %edi\n" /* the upper half must not count: JMP r16 */
               "jmp *%di");
SNIPPET(near_call, ".code16\n"
                   "movl %esp, %ecx\n"
                   "call 1f\n"
                   "int $0x30\n"
                   "1: subl %esp, %ecx\n"
                   "retw");

static void run16(const u8 *code) {
    static const struct far_pointer entry = {0, SPARE(0)};
    set_gdt(SPARE(0), descriptor((u32)code, 0xFFFF, CODE_XR, 0));
    probe("ljmp *%0", : "m"(entry) : "eax", "ebx", "ecx", "edx", "esi", "edi");
}

static void code(void) {
    run16(sizes);
    check_vector("16-bit code runs", REACHED, 0);
    check("16-bit code: MOV AX, imm16", trap.eax & 0xFFFF, 0x1234);
    check("16-bit code: PUSH moves ESP by 2", trap.ecx, 2);
    check("16-bit code: POP", trap.ebx & 0xFFFF, 0x1234);
    check("16-bit code: operand prefix means 32 bits", trap.edx, 0x89ABCDEF);
    check("16-bit code: CS", trap.cs, SPARE(0));
    run16(wraps);
    check("16-bit code: JMP DI uses 16 bits", trap.eax & 0xFFFF, 0x7E57);
    run16(near_call);
    check("16-bit code: CALL pushes 2 bytes", trap.ecx, 2);
    check_vector("16-bit code: RET returns", REACHED, 0);
}

static u8 small[0x10000] __attribute__((aligned(16)));

/* A stack segment with B = 0: SP is used, the upper half of ESP stays. */
static void stack(void) {
    set_gdt(SPARE(1), descriptor((u32)small, 0xFFFF, DATA_RW, 0));
    probe("movl %0, %%ss; movl $0xABCD1000, %%esp; pushl $0x11223344; pushw $0x5566; int $0x30", : "r"(SPARE(1)));
    check("16-bit stack: ESP's upper half stays", trap.esp, 0xABCD0FFA);
    check("16-bit stack: PUSH of a doubleword", *(u32 *)&small[0xFFC], 0x11223344);
    check("16-bit stack: PUSH of a word", *(u16 *)&small[0xFFA], 0x5566);
    check("16-bit stack: SS", trap.ss, SPARE(1));
    probe("movl %0, %%ss; movl $0xABCD0000, %%esp; pushl $0x778899AA; int $0x30", : "r"(SPARE(1)));
    check("16-bit stack: PUSH at SP = 0 wraps", trap.esp, 0xABCDFFFC);
    check("16-bit stack: PUSH at SP = 0 writes the top", *(u32 *)&small[0xFFFC], 0x778899AA);
    probe("movl %0, %%ss; movl $0xABCDFFFC, %%esp; popl %%ecx; movl %%esp, %%edx; movl $0x1000, %%esp; int $0x30",
          : "r"(SPARE(1)) : "ecx", "edx");
    check("16-bit stack: POP at the top", trap.ecx, 0x778899AA);
    check("16-bit stack: POP at the top wraps", trap.edx, 0xABCD0000);
    probe("movl %%ebp, %%ebx; movl %0, %%ss; movl $0xABCD2000, %%esp; movl $0x12343000, %%ebp; enter $16, $0\n\t"
          "movl %%ebp, %%ecx; movl %%esp, %%edx; leave; movl %%ebp, %%esi; movl %%ebx, %%ebp; int $0x30",
          : "r"(SPARE(1)) : "ebx", "ecx", "edx", "esi");
    check("16-bit stack: ENTER sets EBP", trap.ecx & 0xFFFF, 0x1FFC);
    check("16-bit stack: ENTER moves SP", trap.edx, 0xABCD1FEC);
    check("16-bit stack: LEAVE restores EBP", trap.esi, 0x12343000);
    check("16-bit stack: LEAVE restores SP", trap.esp & 0xFFFF, 0x2000);
    probe("movl %0, %%ss; movl $0x1000, %%esp; pushal; movl %%esp, %%ecx; movl %%ss:12(%%esp), %%edx; int $0x30",
          : "r"(SPARE(1)) : "ecx", "edx");
    check("16-bit stack: PUSHA", trap.ecx, 0xFE0);
    check("16-bit stack: PUSHA pushes ESP as it was", trap.edx, 0x1000);
}

void sixteen_bit(void) {
    code();
    stack();
}
