/* JMP to a task and back: every register is saved and loaded, busy bits move, CR0.TS is set. */
#include "tasks.h"

static u32 task_register(void) {
    u32 value;
    asm volatile("str %0" : "=r"(value));
    return value & 0xFFFF;
}

static void jump(void) {
    reset_tasks();
    task = flat_task(stepper, task_stack + 100);
    task.eax = 0x10, task.ecx = 0x20, task.edx = 0x30, task.ebx = 0x40, task.ebp = 0x50, task.esi = 0x60, task.edi = 0x70;
    task.eflags = EFLAGS_ZF | 2;
    task.es = USER_DS, task.gs = 0;
    task.link = 0x5555;
    u32 saved_ebx = 0xB0B0B0B0;
    static struct far_pointer to = {0, TASK};
    asm volatile("clts; ljmp *%1" : "+b"(saved_ebx) : "m"(to) : "memory");
    check("JMP to a task and back: TR", task_register(), MAIN);
    check("JMP to a task and back: a register of ours", saved_ebx, 0xB0B0B0B0);
    check("task switch sets CR0.TS", read_cr0() & CR0_TS, CR0_TS);
    check("the task we left is not busy", access_of(TASK), TSS32);
    check("the task we are in is busy", access_of(MAIN), TSS32_BUSY);
    static const char *const names[] = {"EAX", "ECX", "EDX", "EBX", "EBP", "ESI", "EDI", "ESP"};
    u32 got[] = {task.eax, task.ecx, task.edx, task.ebx, task.ebp, task.esi, task.edi, task.esp};
    u32 expected[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, (u32)(task_stack + 99)};
    for (u32 i = 0; i < length_of(names); i++) {
        char name[64];
        format(name, "the task's %s was loaded, stepped and saved", names[i]);
        check(name, got[i], expected[i]);
    }
    check("the task's push arrived on its stack", task_stack[99], 0x11);
    check("the task's EFLAGS were loaded and saved", task.eflags, EFLAGS_ZF | EFLAGS_CF | 2);
    check("the task's ES was saved", task.es & 0xFFFF, USER_DS);
    check("the task's GS was null", task.gs & 0xFFFF, 0);
    check("JMP does not touch the link", task.link, 0x5555);
    check("our CS was saved", main_tss.cs & 0xFFFF, KERNEL_CS);
    check("our SS was saved", main_tss.ss & 0xFFFF, KERNEL_DS);

    asm volatile("ljmp *%0" : : "m"(to) : "memory");
    check("the task goes on where it was", task.eax, 0x12);
    check("and on its stack", task_stack[98], 0x12);
    task.eax = 0x100;
    asm volatile("ljmp *%0" : : "m"(to) : "memory");
    check("the TSS is read at each switch", task.eax, 0x101);

    task = flat_task(stepper, task_stack + 100);
    asm volatile("movl %%esp, %%esi; ljmp *%0; 1: movl $1b, %%edi" : : "m"(to) : "esi", "edi", "memory");
    u32 after;
    asm volatile("movl $1f, %0; ljmp *%1; 1:" : "=&r"(after) : "m"(to) : "memory");
    check("our saved EIP is that after the JMP", main_tss.eip, after);
    asm volatile("clts");
}

static void through_gates(void) {
    reset_tasks();
    task = flat_task(stepper, task_stack + 100);
    set_gdt(GATE, gate(TASK_GATE, TASK, 0, 0));
    switch_by("ljmp", GATE);
    check_no_trap("JMP through a task gate");
    check("JMP through a task gate: the task ran", task.eax, 1);
    static u64 ldt[2];
    ldt[1] = gate(TASK_GATE | DPL(3), TASK, 0, 0);
    set_gdt(SPARE(4), descriptor((u32)ldt, sizeof ldt - 1, LDT, 0));
    main_tss.ldt = SPARE(4); /* it is loaded, but not saved, by the switch back */
    asm volatile("lldt %w0" : : "r"(SPARE(4)));
    switch_by("ljmp", 0x0C);
    check_no_trap("JMP through a task gate in the LDT");
    check("JMP through a task gate in the LDT: the task ran", task.eax, 2);
    main_tss.ldt = 0;
    asm volatile("lldt %w0" : : "r"(0));
    check("gates leave the task not busy", busy(TASK), false);
}

void switches(void) {
    jump();
    through_gates();
}
