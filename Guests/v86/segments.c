/* Segments are selectors times 16, 64 KiB long, readable, writable and executable alike (SDM 3A 20.1.1). */
#include "v86.h"

V86(stores, "movw $0x2345, %ax; movw %ax, %ds; movw $0xBEEF, 0x10; movw $0x5678, %cs:0x200; movw %cs:0x200, %bx");
V86(far_calls, "lcallw $0x1010, $0; movw $0x600D, %bx; hlt\n"
               ".org far_calls + 0x100\nmovw %cs, %ax; lretw");
V86(far_jumps, "ljmpw $0x0FF0, $0x200; hlt\n.org far_jumps + 0x100\nmovw %cs, %ax");
V86(beyond, "movw 0xFFFF, %ax");
V86(beyond_stack, "movw %sp, %bp; movw $0xFFFF, %bx; movw %ss:(%bx), %ax");
V86(beyond_32, "movl $0x10000, %ebx; movb (%ebx), %al");
V86(within_32, "movl $0x20, %ebx; movb $0x77, 0x20; movb (%ebx), %al");
V86(wide, "movl $0x12345678, %eax; pushl %eax; popw %bx; popw %cx; roll $8, %eax");
V86(wraps, "movw $0xFFF0, %bx; movw $0x1234, 0x10; movw 0x20(%bx), %ax"); /* BX + disp wraps to 0x10 */
V86(stack_wraps, "xorw %sp, %sp; pushw $0x4321; movw %sp, %ax");
V86(loads, "movw $3, %ax; movw %ax, %ds; movw %ds, %bx; movw $0, %ax; movw %ax, %es; movw %es:0x8000, %cx; popw %fs");

void segments(void) {
    run(stores, 0);
    check("store through DS", *(volatile u16 *)LINEAR(0x2345, 0x10), 0xBEEF);
    check("store through CS", trap.ebx & 0xFFFF, 0x5678);
    run(far_calls, 0);
    check("far CALL: CS", trap.eax & 0xFFFF, 0x1010);
    check("far RET came back", trap.ebx & 0xFFFF, 0x600D);
    check("far RET: CS", trap.cs, CODE);
    run(far_jumps, 0);
    check("far JMP: CS", trap.eax & 0xFFFF, 0x0FF0);
    check("far JMP: CS pushed", trap.cs, 0x0FF0);
    check("far JMP: IP pushed", trap.eip, 0x202);
    run(beyond, 0);
    check_at("#GP word at 0xFFFF", GP, 0, 0);
    run(beyond_stack, 0);
    check_at("#SS word of the stack at 0xFFFF", SS, 0, 5);
    run(beyond_32, 0);
    check_at("#GP 32-bit offset beyond 0xFFFF", GP, 0, 6);
    run(within_32, 0);
    check("32-bit offset below 0x10000", trap.eax & 0xFF, 0x77);
    run(wide, 0);
    check("32-bit operands", trap.eax, 0x34567812);
    check("PUSH of a doubleword, POP of two words", (trap.ecx & 0xFFFF) << 16 | (trap.ebx & 0xFFFF), 0x12345678);
    run(wraps, 0);
    check("16-bit offsets wrap", trap.eax & 0xFFFF, 0x1234);
    run(stack_wraps, 0);
    check("SP wraps from 0", trap.eax & 0xFFFF, 0xFFFE);
    check("PUSH at SP = 0", *(volatile u16 *)LINEAR(STACK, 0xFFFE), 0x4321);
    *(volatile u16 *)0x8000 = 0x9876;
    *(volatile u16 *)LINEAR(STACK, STACK_TOP) = 0xFFFF;
    run(loads, 0);
    check("any value loads into a segment register", trap.ebx & 0xFFFF, 3);
    check("segment 0 is no null segment", trap.ecx & 0xFFFF, 0x9876);
    check("POP FS of any value", trap.fs, 0xFFFF);
}
