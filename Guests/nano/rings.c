/* From ring 3 to ring 0 and back, by INT 0x80 and by SYSENTER. */
#include "nano.h"

SNIPPET(int80_handler, "incl nano_events; iretl");
SNIPPET(sysenter_handler, "incl nano_events; sysexit"); /* EDX and ECX hold the caller's EIP and ESP */

enum { SYSCALL = 0x80, SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176 };

static void prepare_syscall(void) { set_handler(SYSCALL, int80_handler, 3); }
static void restore_syscall(void) { reset_handler(SYSCALL); }

static u32 run_syscall(u32 operations) {
    u32 before = nano_events;
    probe_outer("1: int $0x80; decl %%ecx; jnz 1b", "+c"(operations) : : "memory", "cc");
    return trap.vector == REACHED ? events_of(before) : 0;
}

static void prepare_sysenter(void) {
    wrmsr(SYSENTER_CS, KERNEL_CS);
    wrmsr(SYSENTER_ESP, (u32)trap_stack_top);
    wrmsr(SYSENTER_EIP, (u32)sysenter_handler);
}

static u32 run_sysenter(u32 operations) {
    u32 before = nano_events;
    probe_outer("movl %%esp, %%ecx\n"
                "1: movl $2f, %%edx\n\tsysenter\n"
                "2: decl %%esi\n\tjnz 1b", "+S"(operations) : : "ecx", "edx", "memory", "cc");
    return trap.vector == REACHED ? events_of(before) : 0;
}

const struct nano syscall_nano = {"syscall", 1000, prepare_syscall, run_syscall, restore_syscall, 0, 0};
const struct nano sysenter_nano = {"sysenter", 1000, prepare_sysenter, run_sysenter, 0, "SYSENTER", CPU_SEP};
