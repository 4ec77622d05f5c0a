/* CALL and INT to a task, IRET back: back link, NT and busy bits (SDM 3A 7.4). */
#include "tasks.h"

static bool busy_inside[2];
static u32 link_inside, flags_inside;

/* Looks around from within the task, then returns. */
static void look(void) {
    busy_inside[0] = busy(MAIN);
    busy_inside[1] = busy(TASK);
    link_inside = task.link & 0xFFFF;
    flags_inside = read_eflags();
}
void (*const volatile look_pointer)(void) = look;
SNIPPET(looker, "1: call *look_pointer; iretl; jmp 1b");

static void call(void) {
    reset_tasks();
    task = flat_task(looker, task_stack + 100);
    task.link = 0xAAAA0000;
    u32 flags;
    static struct far_pointer to = {0, TASK};
    asm volatile("lcall *%1; pushfl; popl %0" : "=r"(flags) : "m"(to) : "memory", "cc");
    check("CALL to a task: both are busy", busy_inside[0] + busy_inside[1] * 2, 3);
    check("CALL to a task: link", link_inside, MAIN);
    check("CALL to a task: NT is set in the task", flags_inside & EFLAGS_NT, EFLAGS_NT);
    check("IRET from a task: NT is clear here", flags & EFLAGS_NT, 0);
    check("IRET from a task: NT is clear in its saved EFLAGS", task.eflags & EFLAGS_NT, 0);
    check("IRET from a task: it is not busy", access_of(TASK), TSS32);
    check("IRET from a task: this one is", access_of(MAIN), TSS32_BUSY);

    task = flat_task(looker, task_stack + 100);
    set_gdt(GATE, gate(TASK_GATE, TASK, 0, 0));
    link_inside = 0;
    switch_by("lcall", GATE);
    check_no_trap("CALL through a task gate");
    check("CALL through a task gate: link", link_inside, MAIN);
}

static void interrupt(void) {
    reset_tasks();
    task = flat_task(looker, task_stack + 100);
    set_idt(0x50, gate(TASK_GATE | DPL(3), TASK, 0, 0));
    flags_inside = link_inside = 0;
    probe("pushl $0x203; popfl; int $0x50; cli");
    check_no_trap("INT through a task gate");
    check("INT through a task gate: link", link_inside, MAIN);
    check("INT through a task gate: NT, and IF as in the TSS", flags_inside & (EFLAGS_NT | EFLAGS_IF), EFLAGS_NT);
    check("INT through a task gate: IF is saved", main_tss.eflags & (EFLAGS_IF | EFLAGS_CF), EFLAGS_IF | EFLAGS_CF);

    link_inside = 0;
    ring_reset();
    probe_outer("int $0x50; movl $0x600D, %%eax", : : "eax");
    check_vector("INT through a task gate from ring 3 and back", REACHED, 0);
    check("INT through a task gate from ring 3: where it came back", trap.eax, 0x600D);
    check("INT through a task gate from ring 3: CS saved", main_tss.cs & 0xFFFF, USER_CS);
    check("INT through a task gate from ring 3: SS saved", main_tss.ss & 0xFFFF, USER_DS);
    check("INT through a task gate from ring 3: ESP saved", main_tss.esp, outer_esp);
    set_idt(0x50, gate(TASK_GATE, TASK, 0, 0));
    probe_outer("int $0x50");
    check_fault("#GP INT in ring 3 through a task gate of DPL 0", GP, 0x50 * 8 + 2);
    set_idt(0x50, default_gate(0x50, 0));
}

/* Pops the error code into EAX, skips the faulting instruction of two bytes in the interrupted task, and returns. */
SNIPPET(catcher, "1: popl %eax; movl %eax, caught_error; addl $2, main_tss + 32; iretl; jmp 1b");
u32 caught_error;

static void exception(void) {
    reset_tasks();
    task = flat_task(catcher, task_stack + 100);
    set_idt(GP, gate(TASK_GATE, TASK, 0, 0));
    caught_error = 0xDEAD;
    probe("movl %0, %%fs", : "r"(GDT_ENTRIES * 8));
    set_idt(GP, default_gate(GP, 0));
    check_no_trap("exception through a task gate");
    check("exception through a task gate: error code on its stack", caught_error, GDT_ENTRIES * 8);
    check("exception through a task gate: its stack is balanced", task.esp, (u32)(task_stack + 100));
}

/* Three deep: this task calls another, which calls a third; each returns. */
SNIPPET(middle, "1: incl %eax; lcall $0x38, $0; addl $0x10, %eax; iretl; jmp 1b"); /* 0x38: OTHER */
static void nested(void) {
    reset_tasks();
    task = flat_task(middle, task_stack + 100);
    other = flat_task(looker, other_stack + 100);
    switch_by("lcall", TASK);
    check_no_trap("CALL within a called task");
    check("CALL within a called task: both halves ran", task.eax, 0x11);
    check("CALL within a called task: inner link", other.link & 0xFFFF, TASK);
    check("CALL within a called task: outer link", task.link & 0xFFFF, MAIN);
    check("CALL within a called task: nobody else is busy", busy(TASK) + busy(OTHER), 0);
}

void returns(void) {
    call();
    interrupt();
    exception();
    nested();
}
