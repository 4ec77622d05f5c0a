/* SYSENTER and SYSEXIT (SDM 2B). */
#include "gates.h"

enum { SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176 };

SNIPPET(fast_entry, "pushfl; popl %ebx; int $0x30");
SNIPPET(fast_exit, "sysexit");
SNIPPET(user_code, "movl $0x600D, %eax; int $0x30");

void fast_calls(void) {
    if (!cpu_has(CPU_SEP)) return skip("SYSENTER and SYSEXIT", "SEP");
    u32 stack = (u32)trap_stack_top - 64;
    wrmsr(SYSENTER_CS, 0);
    probe_outer("sysenter");
    check_fault("#GP SYSENTER with a null SYSENTER_CS", GP, 0);
    probe("sysexit");
    check_fault("#GP SYSEXIT with a null SYSENTER_CS", GP, 0);
    wrmsr(SYSENTER_CS, KERNEL_CS);
    wrmsr(SYSENTER_ESP, stack);
    wrmsr(SYSENTER_EIP, (u32)fast_entry);
    check("SYSENTER_EIP reads back", (u32)rdmsr(SYSENTER_EIP), (u32)fast_entry);
    outer_eflags = EFLAGS_IF | EFLAGS_CF | EFLAGS_AC | 2;
    probe_outer("sysenter", : : "ebx");
    check("SYSENTER: CS", trap.cs, KERNEL_CS);
    check("SYSENTER: EIP", trap.eip, (u32)fast_entry + 4);
    check("SYSENTER: ESP, nothing pushed", trap.esp, stack);
    check("SYSENTER clears IF, keeps the rest", trap.ebx, EFLAGS_CF | EFLAGS_AC | 2);
    check("SYSENTER keeps DS", trap.ds, USER_DS);
    ring_reset();
    probe("sysexit", : "d"(user_code), "c"(user_stack_top - 32));
    check("SYSEXIT: CS", trap.cs, USER_CS);
    check("SYSEXIT: SS", trap.ss, USER_DS);
    check("SYSEXIT: ESP", trap.esp, (u32)user_stack_top - 32);
    check("SYSEXIT: EIP", trap.eax, 0x600D);
    probe_outer("sysexit");
    check_fault("#GP SYSEXIT in ring 3", GP, 0);
    wrmsr(SYSENTER_EIP, (u32)fast_exit);
    probe_outer("movl $1f, %%edx; movl %%esp, %%ecx; sysenter; ud2; 1: movl $0x7E57, %%eax", : : "eax", "ecx", "edx");
    check("SYSENTER and SYSEXIT, round trip", trap.eax, 0x7E57);
    check("SYSENTER and SYSEXIT, round trip: CS", trap.cs, USER_CS);
    check("SYSENTER and SYSEXIT, round trip: ESP", trap.esp, outer_esp);
    wrmsr(SYSENTER_CS, 0);
}
