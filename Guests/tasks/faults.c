/* Faults while the new task's state is loaded: they belong to the new task (SDM 3A 7.3 step 12 to 16, 6.15 "Interrupt 10").
 * Its segments may be unusable, so the handlers are tasks as well. */
#include "tasks.h"

static struct tss handlers[3];
static u32 handler_stacks[3][64];
static const u32 vectors[3] = {TS, NP, SS};
enum { FIRST_HANDLER = SPARE(10) };

/* EBX is the vector, preset in each handler's TSS. */
SNIPPET(handler, "popl %eax; movl %eax, fault_error; movl %ebx, fault_vector; ljmp $0x28, $0");
u32 fault_error, fault_vector;

static void arm(void) {
    reset_tasks();
    task = flat_task(stepper, task_stack + 100);
    fault_vector = fault_error = 0xDEAD;
    for (u32 i = 0; i < 3; i++) {
        u16 selector = FIRST_HANDLER + 8 * i;
        handlers[i] = flat_task(handler, &handler_stacks[i][60]);
        handlers[i].ebx = vectors[i];
        set_gdt(selector, descriptor((u32)&handlers[i], sizeof handlers[i] - 1, TSS32, 0));
        set_idt(vectors[i], gate(TASK_GATE, selector, 0, 0));
    }
}

static void check_handled(const char *name, u32 vector, u32 error) {
    char text[96], got[48], expected[48];
    for (u32 i = 0; i < 3; i++) set_idt(vectors[i], default_gate(vectors[i], 0));
    format(got, "vector %u, error %x", fault_vector, fault_error);
    format(expected, "vector %u, error %x", vector, error);
    check_string(name, got, expected);
    u32 link = 0;
    for (u32 i = 0; i < 3; i++)
        if (vectors[i] == fault_vector) link = handlers[i].link & 0xFFFF;
    format(text, "%s: the handler was called from the new task", name);
    check(text, link, TASK);
    format(text, "%s: the new task's EIP", name);
    check(text, task.eip, (u32)stepper);
}

void faults(void) {
    enum { CASE = SPARE(4) };
    static const struct { const char *name; u32 *field, selector, access, vector; } table[] = {
        {"#TS new task's LDT is not an LDT", &task.ldt, KERNEL_DS, 0, TS},
        {"#TS new task's LDT is not present", &task.ldt, CASE, LDT & ~PRESENT, TS},
        {"#TS new task's CS is null", &task.cs, 0, 0, TS},
        {"#TS new task's CS is data", &task.cs, KERNEL_DS, 0, TS},
        {"#NP new task's CS is not present", &task.cs, CASE, CODE_XR & ~PRESENT, NP},
        {"#TS new task's SS is null", &task.ss, 0, 0, TS},
        {"#TS new task's SS is read-only", &task.ss, CASE, DATA_RO, TS},
        {"#TS new task's SS is of another ring", &task.ss, CASE, DATA_RW | DPL(2), TS},
        {"#SS new task's SS is not present", &task.ss, CASE, DATA_RW & ~PRESENT, SS},
        {"#TS new task's DS is execute-only code", &task.ds, CASE, CODE_X, TS},
        {"#TS new task's ES is beyond the GDT", &task.es, GDT_ENTRIES * 8, 0, TS},
        {"#NP new task's FS is not present", &task.fs, CASE, DATA_RW & ~PRESENT, NP},
        {"#TS new task's GS is a TSS", &task.gs, MAIN, 0, TS},
    };
    for (u32 i = 0; i < length_of(table); i++) {
        arm();
        set_gdt(CASE, descriptor(0, 0xFFFFF, table[i].access, FLAT));
        *table[i].field = table[i].selector;
        switch_by("ljmp", TASK);
        check_handled(table[i].name, table[i].vector, table[i].selector & ~3);
    }
    reset_tasks();
}
