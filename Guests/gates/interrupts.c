/* Interrupt and trap gates: flags on entry, stacks, 16-bit and conforming handlers (SDM 3A 6.12.1). */
#include "gates.h"

enum { VECTOR = 0x50, CONFORMING = SPARE(0), NARROW = SPARE(1) };

/* Handlers: EFLAGS as the handler sees them in EBX, the top of the stack in registers (a stack of ring 0 does not outlive the
 * probe), and stop. */
SNIPPET(handler, "pushfl; popl %ebx; movl 4(%esp), %edx; movl 8(%esp), %esi; int $0x30");
SNIPPET(handler16, "movzwl (%esp), %ebx; movzwl 2(%esp), %edx; movzwl 4(%esp), %esi; int $0x30");

static void flags_inside(void) {
    u32 set = EFLAGS_IF | EFLAGS_CF | EFLAGS_DF | EFLAGS_AC | 2;
    set_idt(VECTOR, gate(INTERRUPT_GATE32, KERNEL_CS, (u32)handler, 0));
    probe("pushl %0; popfl; int $0x50", : "r"(set) : "ebx", "edx", "esi");
    check("interrupt gate clears IF and nothing of the status", trap.ebx, set & ~EFLAGS_IF);
    check("interrupt gate pushes EFLAGS as they were", trap.esi, set);
    check("interrupt gate pushes CS", trap.edx, KERNEL_CS);
    set_idt(VECTOR, gate(TRAP_GATE32, KERNEL_CS, (u32)handler, 0));
    probe("pushl %0; popfl; int $0x50", : "r"(set) : "ebx", "edx", "esi");
    check("trap gate keeps IF", trap.ebx, set);
    probe("pushl %0; popfl; int $0x50", : "r"(EFLAGS_NT | EFLAGS_TF | 2) : "ebx", "edx", "esi");
    check("gates clear TF and NT", trap.ebx & (EFLAGS_NT | EFLAGS_TF), 0);
}

static void inward(void) {
    for (u32 ring = 0; ring < 3; ring++) {
        char name[64];
        enter_from(3);
        outer_eflags = EFLAGS_CF | EFLAGS_AC | 2;
        set_idt(VECTOR, gate(TRAP_GATE32 | DPL(3), code_of[ring] & ~3, (u32)handler, 0));
        probe_outer("int $0x50", : : "ebx", "edx", "esi");
        const u32 *stack = (const u32 *)trap.esp;
        format(name, "interrupt from ring 3 to ring %u: CS", ring);
        check(name, trap.cs, code_of[ring]);
        format(name, "interrupt from ring 3 to ring %u: five words on the inner stack", ring);
        check(name, (u32)stack_of[ring] - trap.esp, 20);
        u32 expected[] = {probe_start + 2, USER_CS, outer_eflags, outer_esp, USER_DS};
        static const char *const what[] = {"EIP", "CS", "EFLAGS", "ESP", "SS"};
        for (u32 i = 0; i < length_of(expected); i++) {
            format(name, "interrupt from ring 3 to ring %u pushes %s", ring, what[i]);
            check(name, stack[i], expected[i]);
        }
    }
    ring_reset();
}

static void conforming(void) {
    set_gdt(CONFORMING, descriptor(0, 0xFFFFF, CODE_CONFORMING_XR, FLAT));
    set_idt(VECTOR, gate(INTERRUPT_GATE32 | DPL(3), CONFORMING, (u32)handler, 0));
    probe_outer("int $0x50", : : "ebx", "edx", "esi");
    check("conforming handler runs in ring 3", trap.cs, CONFORMING | 3);
    check("conforming handler: same stack, three words", outer_esp - trap.esp, 12);
}

static void narrow(void) {
    set_gdt(NARROW, descriptor((u32)handler16, 0xFFFF, CODE_XR, BIG));
    set_idt(VECTOR, gate(INTERRUPT_GATE16 | DPL(3), NARROW, 0, 0));
    probe_outer("int $0x50", : : "ebx", "edx", "esi");
    const u16 *stack = (const u16 *)trap.esp;
    check("16-bit interrupt gate: CS", trap.cs, NARROW);
    check("16-bit interrupt gate: five words", (u32)trap_stack_top - trap.esp, 10);
    check("16-bit interrupt gate pushes IP", stack[0], (probe_start + 2) & 0xFFFF);
    check("16-bit interrupt gate pushes CS", stack[1], USER_CS);
    check("16-bit interrupt gate pushes SP", stack[3], outer_esp & 0xFFFF);
    check("16-bit interrupt gate pushes SS", stack[4], USER_DS);
    /* A fault's error code is a word as well. */
    set_idt(GP, gate(INTERRUPT_GATE16, NARROW, 0, 0));
    probe("movl %0, %%fs", : "r"(GDT_ENTRIES * 8) : "ebx", "edx", "esi");
    set_idt(GP, default_gate(GP, 0));
    check("16-bit interrupt gate pushes a 16-bit error code", trap.ebx, GDT_ENTRIES * 8);
    check("16-bit interrupt gate pushes IP after the error code", trap.edx, probe_start & 0xFFFF);
    check("16-bit interrupt gate pushes CS after that", trap.esi, KERNEL_CS);
}

/* A descriptor table in a fresh place; the gates come from there at once. */
static void moved_table(void) {
    static u64 other[0x60];
    memcpy(other, idt, sizeof other);
    other[VECTOR] = gate(INTERRUPT_GATE32, KERNEL_CS, (u32)report, 0);
    set_idt(VECTOR, default_gate(VECTOR, 0));
    struct table_register moved = {sizeof other - 1, (u32)other};
    asm volatile("lidt %0" : : "m"(moved));
    probe("int $0x50");
    u32 eip = trap.eip;
    asm volatile("lidt %0" : : "m"(idt_descriptor));
    check("LIDT takes effect at once", eip, (u32)report + 2);
    probe("int $0x50");
    check_trap("and back", VECTOR, 0, 2);
}

void interrupts(void) {
    flags_inside();
    inward();
    conforming();
    narrow();
    moved_table();
}
