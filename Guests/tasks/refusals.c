/* Switches that are refused before they begin: the fault is in the old task (SDM 3A 7.3, table 7-1). */
#include "tasks.h"

static void refuse(const char *name, const char *how, u16 selector, u32 vector, u32 error) {
    if (how[0] == 'J') switch_by("ljmp", selector);
    else switch_by("lcall", selector);
    check_fault(name, vector, error);
}

static void by_descriptor(void) {
    reset_tasks();
    task = flat_task(stepper, task_stack + 100);
    refuse("#GP JMP to the task itself, which is busy", "JMP", MAIN, GP, MAIN);
    refuse("#GP CALL to the task itself, which is busy", "CALL", MAIN, GP, MAIN);
    set_gdt(TASK, descriptor((u32)&task, sizeof task - 1, TSS32 & ~PRESENT, 0));
    refuse("#NP JMP to a TSS", "JMP", TASK, NP, TASK);
    set_gdt(TASK, descriptor((u32)&task, 0x66, TSS32, 0));
    refuse("#TS JMP to a TSS that is too short", "JMP", TASK, TS, TASK);
    set_gdt(TASK, descriptor((u32)&task, sizeof task - 1, TSS32, 0));
    refuse("#GP JMP to a TSS with RPL 3 and DPL 0", "JMP", TASK | 3, GP, TASK);
    static u64 ldt[2];
    ldt[1] = descriptor((u32)&task, sizeof task - 1, TSS32, 0);
    set_gdt(SPARE(4), descriptor((u32)ldt, sizeof ldt - 1, LDT, 0));
    asm volatile("lldt %w0" : : "r"(SPARE(4)));
    refuse("#GP JMP to a TSS in the LDT", "JMP", 0x0C, GP, 0x0C);
    asm volatile("lldt %w0" : : "r"(0));
    check("refused switches leave the task not busy", busy(TASK), false);
    check("refused switches leave this one busy", busy(MAIN), true);
    check("refused switches leave CR0.TS alone", read_cr0() & CR0_TS, 0);

    ring_reset();
    static struct far_pointer pointer = {0, TASK | 3};
    probe_outer("ljmp *%0", : "m"(pointer));
    check_fault("#GP JMP in ring 3 to a TSS of DPL 0", GP, TASK);
    set_gdt(GATE, gate(TASK_GATE, TASK, 0, 0));
    pointer.selector = GATE | 3;
    probe_outer("ljmp *%0", : "m"(pointer));
    check_fault("#GP JMP in ring 3 through a task gate of DPL 0", GP, GATE);
    set_gdt(GATE, gate(TASK_GATE & ~PRESENT, TASK, 0, 0));
    refuse("#NP JMP through a task gate", "JMP", GATE, NP, GATE);
    set_gdt(GATE, gate(TASK_GATE, KERNEL_DS, 0, 0));
    refuse("#GP task gate to a data segment", "JMP", GATE, GP, KERNEL_DS);
    set_gdt(GATE, gate(TASK_GATE, MAIN, 0, 0));
    refuse("#GP task gate to a busy task", "CALL", GATE, GP, MAIN);
    set_gdt(GATE, gate(TASK_GATE, 0x0C, 0, 0));
    refuse("#GP task gate to a TSS in the LDT", "CALL", GATE, GP, 0x0C);
}

/* IRET with NT set goes by the back link, which may be bad. */
static void by_link(void) {
    static const struct { const char *name; u32 link, vector, error; } table[] = {
        {"#TS IRET with NT, link null", 0, TS, 0},
        {"#TS IRET with NT, link to a data segment", KERNEL_DS, TS, KERNEL_DS},
        {"#TS IRET with NT, link to a task not busy", TASK, TS, TASK},
        {"#TS IRET with NT, link beyond the GDT", GDT_ENTRIES * 8, TS, GDT_ENTRIES * 8},
        {"#TS IRET with NT, link into the LDT", 0x0C, TS, 0x0C},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        reset_tasks();
        main_tss.link = table[i].link;
        write_eflags(EFLAGS_NT | 2);
        probe("iretl");
        check_fault(table[i].name, table[i].vector, table[i].error);
    }
    set_gdt(TASK, descriptor((u32)&task, sizeof task - 1, TSS32_BUSY & ~PRESENT, 0));
    main_tss.link = TASK;
    write_eflags(EFLAGS_NT | 2);
    probe("iretl");
    check_fault("#NP IRET with NT, link to a task not present", NP, TASK);
    main_tss.link = 0;
    reset_tasks();
}

void refusals(void) {
    by_descriptor();
    by_link();
}
