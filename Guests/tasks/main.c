/* Hardware tasks: switching by JMP, CALL, INT and IRET, what is saved and loaded, and what is refused (SDM 3A chapter 7). */
#include "tasks.h"

const char guest_name[] = "tasks";
struct tss task, other;
u32 task_stack[128], other_stack[128];

SNIPPET(stepper, ".globl stepper\n"
                 "1: leal 1(%eax), %eax; leal 2(%ecx), %ecx; leal 3(%edx), %edx; leal 4(%ebx), %ebx\n"
                 "leal 5(%ebp), %ebp; leal 6(%esi), %esi; leal 7(%edi), %edi\n"
                 "pushl %eax\n"
                 "stc\n"
                 "ljmp $0x28, $0\n"
                 "jmp 1b");
SNIPPET(returner, ".globl returner\n1: iretl; jmp 1b");

struct tss flat_task(const u8 *code, u32 *stack_top) {
    return (struct tss){
        .eip = (u32)code, .eflags = 2, .esp = (u32)stack_top, .cs = KERNEL_CS, .ss = KERNEL_DS, .ds = KERNEL_DS,
        .es = KERNEL_DS, .fs = KERNEL_DS, .gs = KERNEL_DS, .cr3 = read_cr3(), .io_map = sizeof(struct tss),
        .ss0 = KERNEL_DS, .esp0 = (u32)trap_stack_top,
    };
}

u32 access_of(u16 selector) { return (u32)(gdt[selector >> 3] >> 40) & 0xFF; }
bool busy(u16 selector) { return access_of(selector) & 2; }

void reset_tasks(void) {
    set_gdt(MAIN, descriptor((u32)&main_tss, sizeof main_tss - 1, TSS32, 0));
    set_gdt(TASK, descriptor((u32)&task, sizeof task - 1, TSS32, 0));
    set_gdt(OTHER, descriptor((u32)&other, sizeof other - 1, TSS32, 0));
    asm volatile("ltr %w0; clts" : : "r"(MAIN) : "memory");
    write_eflags(2);
}

void guest_main(void) {
    switches();
    returns();
    contexts();
    narrow_tasks();
    refusals();
    faults();
}
