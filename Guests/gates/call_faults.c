/* Far CALL and JMP that are refused, and the selector each error code names (SDM 2A "CALL", "JMP"; 3A 5.8). */
#include "gates.h"

enum { GATE = SPARE(0), TARGET = SPARE(1), STACK = SPARE(2) };
static struct far_pointer through;

static void try(const char *name, u32 from, bool jump, u16 selector, u32 vector, u32 error) {
    through = (struct far_pointer){(u32)report, selector};
    if (from && jump) {
        probe_outer("ljmp *%0", : "m"(through));
    } else if (from) {
        probe_outer("lcall *%0", : "m"(through));
    } else if (jump) {
        probe("ljmp *%0", : "m"(through));
    } else {
        probe("lcall *%0", : "m"(through));
    }
    check_fault(name, vector, error);
}

static void set_gate(u32 dpl, u16 target) { set_gdt(GATE, gate(CALL_GATE32 | DPL(dpl), target, (u32)report, 0)); }

static void gates_refused(void) {
    enter_from(3);
    set_gate(2, KERNEL_CS);
    try("#GP call gate of DPL 2 from ring 3", 3, false, GATE | 3, GP, GATE);
    set_gate(2, KERNEL_CS);
    try("#GP call gate of DPL 2 with RPL 3 from ring 0", 0, false, GATE | 3, GP, GATE);
    set_gdt(GATE, gate((CALL_GATE32 | DPL(3)) & ~PRESENT, KERNEL_CS, (u32)report, 0));
    try("#NP call gate", 3, false, GATE | 3, NP, GATE);
    set_gate(3, 0);
    try("#GP call gate to null", 3, false, GATE | 3, GP, 0);
    set_gate(3, KERNEL_DS);
    try("#GP call gate to a data segment", 3, false, GATE | 3, GP, KERNEL_DS);
    set_gate(3, GDT_ENTRIES * 8);
    try("#GP call gate beyond the GDT", 3, false, GATE | 3, GP, GDT_ENTRIES * 8);
    set_gate(3, USER_CS);
    try("#GP call gate to an outer ring", 0, false, GATE, GP, USER_CS & ~3);
    set_gate(3, KERNEL_CS);
    try("#GP JMP through a gate to an inner ring", 3, true, GATE | 3, GP, KERNEL_CS);
    set_gdt(TARGET, descriptor(0, 0xFFFFF, CODE_XR & ~PRESENT, FLAT));
    set_gate(3, TARGET);
    try("#NP call gate's target", 3, false, GATE | 3, NP, TARGET);
    set_gdt(TARGET, descriptor(0, 0xFF, CODE_XR, BIG));
    set_gate(3, TARGET);
    try("#GP call gate beyond its target's limit", 3, false, GATE | 3, GP, 0);
}

static void direct_refused(void) {
    try("#GP direct CALL to an inner ring", 3, false, KERNEL_CS, GP, KERNEL_CS);
    try("#GP direct CALL to an outer ring", 0, false, USER_CS, GP, USER_CS & ~3);
    try("#GP direct CALL with too great an RPL", 0, false, KERNEL_CS | 3, GP, KERNEL_CS);
    try("#GP direct CALL to null", 0, false, 0, GP, 0);
    try("#GP direct CALL to a data segment", 0, false, KERNEL_DS, GP, KERNEL_DS);
    try("#GP direct JMP to a data segment", 0, true, KERNEL_DS, GP, KERNEL_DS);
    try("#GP direct JMP beyond the GDT", 0, true, 0xFFF8, GP, 0xFFF8);
    set_gdt(TARGET, descriptor(0, 0xFFFFF, LDT, 0));
    try("#GP direct JMP to an LDT", 0, true, TARGET, GP, TARGET);
    set_gdt(TARGET, descriptor(0, 0xFFFFF, CODE_XR & ~PRESENT, FLAT));
    try("#NP direct JMP", 0, true, TARGET, NP, TARGET);
    set_gdt(TARGET, descriptor(0, 0xFFFFF, CODE_CONFORMING_XR | DPL(3), FLAT));
    try("#GP JMP from ring 0 to a conforming segment of ring 3", 0, true, TARGET, GP, TARGET);
    set_gdt(TARGET, gate(INTERRUPT_GATE32 | DPL(3), KERNEL_CS, (u32)report, 0));
    try("#GP CALL through an interrupt gate", 3, false, TARGET | 3, GP, TARGET);
}

static void inner_stack_refused(void) {
    u32 old = main_tss.ss1;
    set_gate(3, code_of[1] & ~3);
    main_tss.ss1 = 0;
    try("#TS call gate, inner SS null", 3, false, GATE | 3, TS, 0);
    main_tss.ss1 = KERNEL_DS;
    try("#TS call gate, inner SS of another ring", 3, false, GATE | 3, TS, KERNEL_DS);
    set_gdt(STACK, descriptor(0, 0xFFFFF, DATA_RO | DPL(1), FLAT));
    main_tss.ss1 = STACK | 1;
    try("#TS call gate, inner SS read-only", 3, false, GATE | 3, TS, STACK);
    set_gdt(STACK, descriptor(0, 0xFFFFF, (DATA_RW | DPL(1)) & ~PRESENT, FLAT));
    try("#SS call gate, inner SS not present", 3, false, GATE | 3, SS, STACK);
    set_gdt(STACK, descriptor(0, 0xFFF, DATA_RW | DPL(1), BIG));
    u32 old_esp = main_tss.esp1;
    main_tss.esp1 = 0x1008; /* room for two of the four pushes below the limit, and two above */
    try("#SS call gate, no room on the inner stack", 3, false, GATE | 3, SS, STACK);
    main_tss.esp1 = old_esp;
    main_tss.ss1 = old;
}

void call_faults(void) {
    gates_refused();
    direct_refused();
    inner_stack_refused();
    ring_reset();
}
