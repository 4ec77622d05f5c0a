/* What else belongs to a task: address space, LDT, ring and inner stack, debug trap (SDM 3A 7.2.1, 7.3, 7.6). */
#include "tasks.h"
#include "paging.h"

static u8 ours[PAGE] __attribute__((aligned(PAGE))), theirs[PAGE] __attribute__((aligned(PAGE)));
static u32 directory[1024] __attribute__((aligned(PAGE))), table[1024] __attribute__((aligned(PAGE)));
enum { LINEAR = 12 << 20 };

/* Reads the linear address into EAX and returns. */
SNIPPET(reader, "1: movl 0xC00000, %eax; movl %cr3, %ecx; iretl; jmp 1b");

static void address_space(void) {
    paging_on();
    reset_tasks();
    memcpy(directory, page_directory, sizeof directory);
    memcpy(table, pte(LINEAR), sizeof table);
    directory[LINEAR >> 22] = (u32)table | PTE_P | PTE_W | PTE_U;
    table[0] = (u32)theirs | PTE_P | PTE_W | PTE_U;
    set_pte(LINEAR, (u32)ours | PTE_P | PTE_W | PTE_U);
    *(u32 *)ours = 0x0FF1CE, *(u32 *)theirs = 0x5CA1E;
    main_tss.cr3 = read_cr3();
    task = flat_task(reader, task_stack + 100);
    task.cr3 = (u32)directory;
    u32 before = *(volatile u32 *)LINEAR;
    switch_by("lcall", TASK);
    check("our address space", before, 0x0FF1CE);
    check("the task's address space", task.eax, 0x5CA1E);
    check("the task's CR3", task.ecx, (u32)directory);
    check("our address space again", *(volatile u32 *)LINEAR, 0x0FF1CE);
    check("CR3 again", read_cr3(), (u32)page_directory);
    check("CR3 is not saved in a TSS", task.cr3, (u32)directory);
    paging_off();
}

SNIPPET(local_reader, "1: movl %fs:0, %eax; sldt %cx; iretl; jmp 1b");
static void local_table(void) {
    static u64 ldt[2];
    static const u32 cell = 0x10CA1;
    reset_tasks();
    ldt[1] = descriptor((u32)&cell, 3, DATA_RO, BIG);
    set_gdt(SPARE(4), descriptor((u32)ldt, sizeof ldt - 1, LDT, 0));
    main_tss.ldt = 0;
    task = flat_task(local_reader, task_stack + 100);
    task.ldt = SPARE(4);
    task.fs = 0x0C;
    switch_by("lcall", TASK);
    check("the task's LDT serves its FS", task.eax, cell);
    check("the task's SLDT", task.ecx & 0xFFFF, SPARE(4));
    u32 value;
    asm volatile("sldt %0" : "=r"(value));
    check("our LDT again", value & 0xFFFF, 0);
}

SNIPPET(note_stack, "movl %esp, %ebx; ljmp $0x28, $0");

/* A task in ring 3: it runs there, and what interrupts it uses its own inner stack. */
SNIPPET(ring3_task, "movl %esp, %eax; int $0x30");
static void outer_ring(void) {
    reset_tasks();
    task = flat_task(ring3_task, (u32 *)user_stack_top);
    task.cs = USER_CS, task.ss = task.ds = task.es = task.fs = task.gs = USER_DS;
    task.esp0 = (u32)(other_stack + 120);
    task.ss0 = KERNEL_DS;
    for (u32 i = 0; i < 128; i++) other_stack[i] = 0;
    /* The handler only notes its stack and goes back to the main task. */
    set_idt(0x30, gate(INTERRUPT_GATE32 | DPL(3), KERNEL_CS, (u32)note_stack, 0));
    switch_by("ljmp", TASK);
    set_idt(0x30, default_gate(0x30, 3));
    check("a task in ring 3 runs on its stack", task.eax, (u32)user_stack_top);
    check("a task in ring 3: interrupts use its SS0:ESP0", task.ebx, (u32)(other_stack + 120) - 20);
    check("a task in ring 3: CS on the inner stack", other_stack[116], USER_CS);
    check("a task in ring 3: ESP on the inner stack", other_stack[118], (u32)user_stack_top);
}

/* T in the new task's TSS: #DB before its first instruction; local breakpoints are disabled by any switch. */
static void debug(void) {
    reset_tasks();
    task = flat_task(stepper, task_stack + 100);
    task.trap = 1;
    write_dr6(0);
    switch_by("ljmp", TASK);
    check("T bit: #DB", trap.vector, DB);
    check("T bit: EIP is the task's first instruction", trap.eip, (u32)stepper);
    check("T bit: DR6.BT", read_dr6() & 0xE00F, 0x8000);
    check("T bit: the trap is in the new task", busy(TASK) * 2 + busy(MAIN), 2);
    check("T bit: nothing was executed", trap.eax, 0);
    reset_tasks();
    write_dr6(0);
    task = flat_task(stepper, task_stack + 100);
    write_dr0(0xF0000000);
    write_dr7(0x00030303); /* L0, G0, LE, GE; data accesses */
    switch_by("ljmp", TASK);
    check("a task switch clears local breakpoints and keeps global ones", read_dr7() & 0xFFFF03FF, 0x00030202);
    write_dr7(0);
}

void contexts(void) {
    address_space();
    local_table();
    outer_ring();
    debug();
}
