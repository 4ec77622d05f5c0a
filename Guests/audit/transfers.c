/* Far transfers, software interrupts and system calls. */
#include "audit.h"

SNIPPET(fast_entry, "movl %cs, %eax; int $0x30");

/* A far pointer to a label of the code, with the current CS, in memory. */
#define POINTER_TO_1F "leal 1f-.Lcode%=(%%edi), %%eax; movl %%eax, (%%esi); movw %%cs, 4(%%esi); "
#define PUSH_1F "leal 1f-.Lcode%=(%%edi), %%eax; pushl %%eax; "

static void fast_call(void) {
    wrmsr(SYSENTER_CS, KERNEL_CS);
    wrmsr(SYSENTER_ESP, (u32)trap_stack_top - 64);
    wrmsr(SYSENTER_EIP, (u32)fast_entry);
}

void transfers(void) {
    ROW("CALL far", 0, POINTER_TO_1F "lcall *(%%esi); 1: popl %%ecx; popl %%eax", ANSWER(KERNEL_CS));
    ROW("JMP far", 0, POINTER_TO_1F "ljmp *(%%esi); 1: movl %%cs, %%eax", ANSWER(KERNEL_CS));
    ROW("RET far", 0, "pushl %%cs; " PUSH_1F "lretl; 1: movl %%cs, %%eax", ANSWER(KERNEL_CS));
    ROW("IRET", 0, "pushl $0x3002; pushl %%cs; " PUSH_1F "iretl; 1: pushfl; popl %%eax; andl $0x3200, %%eax; movl %%cs, %%edx",
        ANSWERS(EFLAGS_IOPL, KERNEL_CS));
    ROW("INT n", 0, "int $0x80", ENTERS(0x80));
    ROW("INT3", 0, "int3", ENTERS(BP));
    ROW("INTO", 0, "movb $0x7F, %%al; addb $1, %%al; into", ENTERS(OF));
    ROW("INT1", 0, ".byte 0xF1", ENTERS(DB));
    ROW("SYSENTER", fast_call, "sysenter", ANSWER(KERNEL_CS));
    ROW("SYSEXIT", fast_call, "leal 1f-.Lcode%=(%%edi), %%edx; movl %%esp, %%ecx; sysexit; 1: movl %%cs, %%eax", ANSWER(USER_CS));
}
