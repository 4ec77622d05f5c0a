/* CALL and JMP through call gates: ring, stack and what lies on it (SDM 3A 5.8.3 to 5.8.5). */
#include "gates.h"

enum { GATE = SPARE(0), NARROW = SPARE(1), CONFORMING = SPARE(2), OUTER16 = SPARE(3) };

static struct far_pointer through = {0xBAD0BAD0, GATE | 3}; /* a gate's own offset counts, not the instruction's */
SNIPPET(discard3, "lret $12");
SNIPPET(nothing, "lret");
SNIPPET(report_top, "movl (%esp), %ecx; movl 4(%esp), %edx; int $0x30"); /* ring 0's stack does not outlive the probe */

/* Ring 3 to each inner ring with three parameters: [EIP][CS][p3][p2][p1][ESP][SS] on the inner stack. */
static void inward(u32 ring) {
    char name[96];
    enter_from(3);
    set_gdt(GATE, gate(CALL_GATE32 | DPL(3), code_of[ring] & ~3, (u32)report, 3));
    probe_outer("pushl $0x111; pushl $0x222; pushl $0x333; 2: lcall *%0; movl $2b, %%eax", : "m"(through) : "eax");
    const u32 *stack = (const u32 *)trap.esp;
    format(name, "call gate to ring %u: CS", ring);
    check(name, trap.cs, code_of[ring]);
    format(name, "call gate to ring %u: EIP", ring);
    check(name, trap.eip, (u32)report + 2);
    format(name, "call gate to ring %u: SS", ring);
    check(name, trap.ss, data_of[ring]);
    format(name, "call gate to ring %u: ESP", ring);
    check(name, (u32)stack_of[ring] - trap.esp, 7 * 4);
    static const char *const what[] = {"EIP", "CS", "third parameter", "second parameter", "first parameter", "outer ESP", "outer SS"};
    u32 expected[] = {probe_start + 15 + 6, USER_CS, 0x333, 0x222, 0x111, outer_esp - 12, USER_DS};
    for (u32 i = 0; i < length_of(expected); i++) {
        format(name, "call gate to ring %u pushes %s", ring, what[i]);
        check(name, stack[i], expected[i]);
    }
}

static void there_and_back(void) {
    for (u32 ring = 0; ring < 3; ring++) {
        char name[96];
        set_gdt(GATE, gate(CALL_GATE32 | DPL(3), code_of[ring] & ~3, (u32)discard3, 3));
        probe_outer("pushl $1; pushl $2; pushl $3; lcall *%0; movl $0x600D, %%eax", : "m"(through) : "eax");
        format(name, "call gate to ring %u and back: CS", ring);
        check(name, trap.cs, USER_CS);
        format(name, "call gate to ring %u and back: after the call", ring);
        check(name, trap.eax, 0x600D);
        format(name, "call gate to ring %u and back: RET n dropped the parameters", ring);
        check(name, trap.esp, outer_esp);
    }
    set_gdt(GATE, gate(CALL_GATE32 | DPL(3), KERNEL_CS, (u32)report, 31));
    outer_esp = (u32)user_stack_top - 31 * 4;
    probe_outer("lcall *%0", : "m"(through));
    check("call gate with 31 parameters: ESP", (u32)trap_stack_top - trap.esp, 35 * 4);
    ring_reset();
    enter_from(2);
    set_gdt(GATE, gate(CALL_GATE32 | DPL(3), code_of[1] & ~3, (u32)report, 0));
    probe_outer("lcall *%0", : "m"(through));
    check("call gate from ring 2 to ring 1: CS", trap.cs, code_of[1]);
    check("call gate from ring 2 to ring 1: outer SS", ((u32 *)trap.esp)[3], data_of[2]);
    ring_reset();
}

static void same_ring(void) {
    u32 before;
    static struct far_pointer unprivileged = {0, GATE};
    set_gdt(GATE, gate(CALL_GATE32, KERNEL_CS, (u32)report_top, 5));
    probe("movl %%esp, %0; lcall *%1", "=&S"(before) : "m"(unprivileged) : "ecx", "edx");
    check("call gate within ring 0: CS", trap.cs, KERNEL_CS);
    check("call gate within ring 0: no parameters are copied", before - trap.esp, 8);
    check("call gate within ring 0: EIP pushed", trap.ecx, probe_start + 2 + 6);
    check("call gate within ring 0: CS pushed", trap.edx, KERNEL_CS);
    set_gdt(GATE, gate(CALL_GATE32, KERNEL_CS, (u32)report, 5));
    probe("ljmp *%0", : "m"(unprivileged));
    check("JMP through a gate within ring 0", trap.eip, (u32)report + 2);
    check("JMP through a gate pushes nothing", trap.esp, probe_esp);
    set_gdt(GATE, gate(CALL_GATE32 | DPL(3), USER_CS, (u32)report, 0));
    probe_outer("lcall *%0", : "m"(through));
    check("call gate within ring 3: CS", trap.cs, USER_CS);
    check("call gate within ring 3: same stack", trap.esp, outer_esp - 8);
}

/* A conforming segment runs in the caller's ring. */
static void conforming(void) {
    static struct far_pointer direct = {0, CONFORMING};
    direct.offset = (u32)report;
    set_gdt(CONFORMING, descriptor(0, 0xFFFFF, CODE_CONFORMING_XR, FLAT));
    set_gdt(GATE, gate(CALL_GATE32 | DPL(3), CONFORMING, (u32)report, 3));
    probe_outer("lcall *%0", : "m"(through));
    check("call gate to a conforming segment: CS has the caller's ring", trap.cs, CONFORMING | 3);
    check("call gate to a conforming segment: same stack", trap.esp, outer_esp - 8);
    probe_outer("lcall *%0", : "m"(direct));
    check("direct CALL to a conforming segment: CS", trap.cs, CONFORMING | 3);
    probe_outer("ljmp *%0", : "m"(direct));
    check("direct JMP to a conforming segment: CS", trap.cs, CONFORMING | 3);
    direct.offset = (u32)nothing;
    probe_outer("lcall *%0; movl $0x600D, %%eax", : "m"(direct) : "eax");
    check("RET from a conforming segment", trap.eax, 0x600D);
    check("RET from a conforming segment: CS", trap.cs, USER_CS);
}

/* 16-bit gates push words: [IP][CS][p2][p1][SP][SS]. The caller must lie within 64 KiB of its base to be found again. */
SNIPPET(caller16, "pushw $0x1111; pushw $0x2222; lcall *%cs:(through16 - caller16); int $0x30\n"
                  ".globl through16\nthrough16: .long 0xBAD; .word 0x33");
SNIPPET(report16, "int $0x30");
SNIPPET(discard2, "lretw $4");

static void narrow_gate(void) {
    static const struct far_pointer entry = {0, OUTER16 | 3};
    set_gdt(OUTER16, descriptor((u32)caller16, 0xFFFF, CODE_XR | DPL(3), BIG));
    set_gdt(NARROW, descriptor((u32)report16, 0xFFFF, CODE_XR, BIG));
    set_gdt(GATE, gate(CALL_GATE16 | DPL(3), NARROW, 0, 2));
    probe_outer("ljmp *%0", : "m"(entry));
    const u16 *stack = (const u16 *)trap.esp;
    check("16-bit call gate: CS", trap.cs, NARROW);
    check("16-bit call gate: EIP", trap.eip, 2);
    check("16-bit call gate: ESP", (u32)trap_stack_top - trap.esp, 6 * 2);
    check("16-bit call gate pushes CS", stack[1], OUTER16 | 3);
    check("16-bit call gate pushes the parameters", stack[2] | stack[3] << 16, 0x11112222);
    check("16-bit call gate pushes SP", stack[4], (outer_esp - 4) & 0xFFFF);
    check("16-bit call gate pushes SS", stack[5], USER_DS);
    u32 after_call = stack[0];
    set_gdt(NARROW, descriptor((u32)discard2, 0xFFFF, CODE_XR, BIG));
    probe_outer("ljmp *%0", : "m"(entry));
    check("16-bit call gate and back: CS", trap.cs, OUTER16 | 3);
    check("16-bit call gate and back: EIP", trap.eip, after_call + 2);
    check("16-bit call gate and back: SP", trap.esp & 0xFFFF, outer_esp & 0xFFFF);
}

static void local_gate(void) {
    static u64 ldt[2];
    static const struct far_pointer local = {0, 8 | 4 | 3};
    ldt[1] = gate(CALL_GATE32 | DPL(3), KERNEL_CS, (u32)report, 0);
    set_gdt(SPARE(4), descriptor((u32)ldt, sizeof ldt - 1, LDT, 0));
    asm volatile("lldt %w0" : : "r"(SPARE(4)));
    probe_outer("lcall *%0", : "m"(local));
    check("call gate in the LDT", trap.cs, KERNEL_CS);
    asm volatile("lldt %w0" : : "r"(0));
}

void calls(void) {
    for (u32 ring = 0; ring < 3; ring++) inward(ring);
    there_and_back();
    same_ring();
    conforming();
    narrow_gate();
    local_gate();
}
