/* A small monitor: a program that believes it owns an 8086 runs with IOPL 0, and #GP emulates INT, IRET, PUSHF, POPF, CLI and
 * STI on its own stack and interrupt table, which is what EMM386 and Windows did. */
#include "v86.h"

/* Sums 1 to 5 by way of INT 0x60, whose handler adds AX to DX with interrupts masked. */
V86(program, "movw $handler - program, %bx\n"
             "xorw %ax, %ax; movw %ax, %es\n"
             "movw %bx, %es:0x60 * 4; movw %cs, %es:0x60 * 4 + 2\n"
             "sti\n"
             "xorw %dx, %dx; movw $5, %cx\n"
             "1: movw %cx, %ax; int $0x60; loop 1b\n"
             "pushfw; popw %si\n"
             "hlt\n"
             "handler: pushfw; popw %di; cli; addw %ax, %dx; stc; iretw");

static struct { u32 interrupts, returns, flags, total; bool enabled; } counts;

static void push(struct trap_frame *f, u16 value) {
    f->esp = (f->esp - 2) & 0xFFFF;
    *(volatile u16 *)LINEAR(f->ss & 0xFFFF, f->esp) = value;
}

static u16 pop(struct trap_frame *f) {
    u16 value = *(volatile u16 *)LINEAR(f->ss & 0xFFFF, f->esp);
    f->esp = (f->esp + 2) & 0xFFFF;
    return value;
}

/* The program's FLAGS: its own IF, which the real one is not. */
static u16 virtual_flags(struct trap_frame *f) { return (f->eflags & ~EFLAGS_IF) | (counts.enabled ? EFLAGS_IF : 0); }
static void set_virtual_flags(struct trap_frame *f, u16 value) {
    counts.enabled = value & EFLAGS_IF;
    f->eflags = (f->eflags & 0xFFFF0000) | (value & 0x0FD5) | 2;
    f->eflags &= ~EFLAGS_IF;
}

static void emulate(struct trap_frame *f) {
    const volatile u8 *code = LINEAR(f->cs & 0xFFFF, f->eip);
    counts.total++;
    switch (code[0]) {
    case 0xCD: /* INT n */
        push(f, virtual_flags(f));
        push(f, f->cs);
        push(f, f->eip + 2);
        f->eip = *(volatile u16 *)(code[1] * 4);
        f->cs = *(volatile u16 *)(code[1] * 4 + 2);
        counts.enabled = false;
        counts.interrupts++;
        return;
    case 0xCF: /* IRET */
        f->eip = pop(f);
        f->cs = pop(f);
        set_virtual_flags(f, pop(f));
        counts.returns++;
        return;
    case 0x9C: push(f, virtual_flags(f)); break; /* PUSHF */
    case 0x9D: set_virtual_flags(f, pop(f)); break; /* POPF */
    case 0xFA: counts.enabled = false; break; /* CLI */
    case 0xFB: counts.enabled = true; break; /* STI */
    default: /* HLT: the program is done */
        trap_handlers[GP] = 0;
        return; /* and traps once more, into the probe */
    }
    counts.flags++;
    f->eip++;
}

void monitor(void) {
    memset(&counts, 0, sizeof counts);
    u16 saved[2];
    memcpy(saved, (void *)(0x60 * 4), sizeof saved);
    trap_handlers[GP] = emulate;
    run(program, 0);
    memcpy((void *)(0x60 * 4), saved, sizeof saved);
    check("monitored program: its result", trap.edx & 0xFFFF, 15);
    check("monitored program: interrupts", counts.interrupts, 5);
    check("monitored program: returns", counts.returns, 5);
    check("monitored program: PUSHF, CLI and STI", counts.flags, 1 + 2 * 5 + 1);
    check("monitored program: it sees IF set", trap.esi & EFLAGS_IF, EFLAGS_IF);
    check("monitored program: its handler sees IF clear", trap.edi & EFLAGS_IF, 0);
    check("monitored program: the handler's carry was not returned", trap.esi & EFLAGS_CF, 0);
    check("monitored program: the stack is balanced", trap.esp, STACK_TOP);
    check("monitored program: traps", counts.total, 5 + 5 + 12 + 1);
}
