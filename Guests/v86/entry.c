/* Entering and leaving: what IRET loads and what a trap pushes (SDM 3A 20.2.5, 20.3). */
#include "v86.h"

V86(registers, "movw %cs, %ax; movw %ss, %bx; movw %ds, %cx; movl %esp, %edx; movw %es, %si; movw %fs, %di");
V86(divides, "nop; divw %cx");
V86(breaks, "int3");
V86(interrupts, "nop; int $0x50; nop");
V86(overflows, "movb $0x7F, %al; addb %al, %al; into");
V86(undefined, "ud2");

SNIPPET(inner, "pushfl; popl %ebx; movl %esp, %ecx; movl %ds, %edx; int $0x30");

void entry(void) {
    run(registers, EFLAGS_IF);
    check_at("HLT ends it: #GP", GP, 0, (u32)(registers_end - registers - 1));
    check("EFLAGS pushed: VM and IF", trap.eflags & (EFLAGS_VM | EFLAGS_IF | EFLAGS_IOPL), EFLAGS_VM | EFLAGS_IF);
    check("CS inside", trap.eax & 0xFFFF, CODE);
    check("CS pushed", trap.cs, CODE);
    check("SS inside", trap.ebx & 0xFFFF, STACK);
    check("SS pushed", trap.ss, STACK);
    check("DS inside", trap.ecx & 0xFFFF, DATA);
    check("DS pushed", trap.ds, DATA);
    check("ES inside", trap.esi & 0xFFFF, DATA);
    check("ES pushed", trap.es, DATA);
    check("FS inside", trap.edi & 0xFFFF, 0x4000);
    check("FS pushed", trap.fs, 0x4000);
    check("GS pushed", trap.gs, 0x5000);
    check("ESP inside", trap.edx, STACK_TOP);
    check("ESP pushed", trap.esp, STACK_TOP);

    run(divides, 0);
    check_at("#DE", DE, 0, 1);
    run(undefined, 0);
    check_at("#UD", UD, 0, 0);
    run(breaks, 0);
    check_at("#GP INT3, IOPL 0, gate of DPL 0: names the gate", GP, BP * 8 + 2, 0);
    set_idt(BP, default_gate(BP, 3));
    run(breaks, 0);
    check_at("INT3, IOPL 0: not sensitive to IOPL", BP, 0, 1);
    set_idt(BP, default_gate(BP, 0));
    set_idt(OF, default_gate(OF, 3));
    run(overflows, 0);
    check_at("INTO, IOPL 0: not sensitive to IOPL", OF, 0, 5);
    set_idt(OF, default_gate(OF, 0));
    set_idt(0x50, default_gate(0x50, 3));
    run(interrupts, IOPL(0));
    check_at("#GP INT n, IOPL 0", GP, 0, 1);
    run(interrupts, IOPL(2));
    check_at("#GP INT n, IOPL 2", GP, 0, 1);
    run(interrupts, IOPL(3));
    check_at("INT n, IOPL 3: through the IDT", 0x50, 0, 3);
    set_idt(0x50, default_gate(0x50, 0));
    run(interrupts, IOPL(3));
    check_at("#GP INT n, IOPL 3, gate of DPL 0", GP, 0x50 * 8 + 2, 1);

    set_idt(0x50, gate(TRAP_GATE32 | DPL(3), KERNEL_CS, (u32)inner, 0));
    run(interrupts, IOPL(3) | EFLAGS_NT | EFLAGS_IF);
    check("inside the handler VM and NT are clear, IF as it was", trap.ebx & (EFLAGS_VM | EFLAGS_NT | EFLAGS_IF), EFLAGS_IF);
    check("the handler's stack holds nine words", (u32)trap_stack_top - trap.ecx, 36);
    check("inside the handler DS is null", trap.edx & 0xFFFF, 0);
    const u32 *frame = (const u32 *)trap.ecx;
    static const u32 expected[] = {3, CODE, 0, STACK_TOP, STACK, DATA, DATA, 0x4000, 0x5000};
    static const char *const what[] = {"IP", "CS", "", "SP", "SS", "ES", "DS", "FS", "GS"};
    for (u32 i = 0; i < length_of(expected); i++) {
        char name[32];
        if (i == 2) continue; /* EFLAGS: above */
        format(name, "pushed: %s", what[i]);
        check(name, frame[i], expected[i]);
    }
    set_gdt(SPARE(0), descriptor(0, 0xFFFFF, CODE_XR | DPL(1), FLAT));
    set_idt(0x50, gate(TRAP_GATE32 | DPL(3), SPARE(0), (u32)inner, 0));
    run(interrupts, IOPL(3));
    check_at("#GP a handler outside ring 0 is refused", GP, SPARE(0), 1);
    set_idt(0x50, default_gate(0x50, 0));
}
