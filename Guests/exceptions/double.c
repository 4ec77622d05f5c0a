/* #DF: which pairs of exceptions combine (SDM 3A 6.15 "Interrupt 8", tables 6-4 and 6-5), through an interrupt gate and
 * through a task gate; and exceptions within exception handlers. */
#include "guest.h"
#include "paging.h"
#include "exceptions.h"

static const u64 present_bit = (u64)PRESENT << 40;

static void absent(u32 vector) { set_idt(vector, idt[vector] & ~present_bit); }
static void restore(u32 vector) { set_idt(vector, default_gate(vector, 0)); }

#define GATE_ERROR(vector) ((vector) * 8 | 2 | 1)

static void pairs(void) {
    absent(GP);
    probe("movl %0, %%ss", : "r"(0));
    check_vector("#DF contributory (#GP), then contributory (#NP)", DF, 0);
    absent(DE);
    probe("divl %0", : "r"(0), "a"(1), "d"(0));
    check_vector("#DF #DE, then #NP", DF, 0);
    restore(DE);
    restore(GP);
    absent(UD);
    probe("ud2");
    check_fault("benign (#UD), then contributory: no #DF", NP, GATE_ERROR(UD));
    restore(UD);
    absent(BR);
    static const i32 range[2] = {0, 1};
    probe(".byte 0x62, 0x01", : "c"(range), "a"(2)); /* BOUND EAX, [ECX] */
    check_fault("#BR is benign: no #DF", NP, GATE_ERROR(BR));
    restore(BR);
    absent(NP);
    absent(UD);
    probe("ud2");
    check_vector("#DF benign, contributory, contributory", DF, 0);
    restore(UD);
    restore(NP);
}

/* An IDT that crosses from one page to the next just before entry 14, so that either side can be missing. */
static u8 two_pages[2 * PAGE] __attribute__((aligned(PAGE)));

static void page_fault_pairs(void) {
    u32 second = (u32)two_pages + PAGE, base = second - PF * 8;
    struct table_register moved = {sizeof idt - 1, base};
    paging_on();
    static u8 target[PAGE] __attribute__((aligned(PAGE)));
    set_pte((u32)target, 0);

    absent(PF);
    probe("movl (%0), %%ecx", : "r"(target) : "ecx");
    check_vector("#DF page fault, then contributory (#NP)", DF, 0);
    restore(PF);

    memcpy((void *)base, idt, sizeof idt);
    asm volatile("lidt %0" : : "m"(moved));
    set_pte((u32)two_pages, 0);
    probe("movl %0, %%ss", : "r"(0));
    check_fault("contributory, then page fault: no #DF", PF, 0);
    check("contributory, then page fault: CR2", trap.cr2 - base, GP * 8);
    probe("ud2");
    check_fault("benign, then page fault: no #DF", PF, 0);
    reset_pte((u32)two_pages);
    set_pte(second, 0);
    probe("movl (%0), %%ecx", : "r"(target) : "ecx");
    check_vector("#DF page fault, then page fault", DF, 0);
    check("page fault, then page fault: CR2 is the second's", trap.cr2 - base, PF * 8);
    reset_pte(second);
    asm volatile("lidt %0" : : "m"(idt_descriptor));
    paging_off();
}

/* The usual way to survive a bad stack: #DF as a task. */
static struct tss double_fault_tss;
u32 task_error_code, task_tr; /* by name in assembly, so not static */
void double_fault_entry(void);
asm(".pushsection .text\n"
    "double_fault_entry: popl task_error_code\n"
    "str task_tr\n"
    "movl $double_fault_resume, main_tss + 32\n" /* EIP of the interrupted task */
    "iretl\n"
    "jmp double_fault_entry\n"
    ".popsection");

static void task_gate(void) {
    u16 task = SPARE(0);
    set_gdt(task, descriptor((u32)&double_fault_tss, sizeof double_fault_tss - 1, TSS32, 0));
    double_fault_tss = (struct tss){
        .eip = (u32)double_fault_entry, .eflags = 2, .esp = (u32)user_stack_top, .cs = KERNEL_CS,
        .es = KERNEL_DS, .ss = KERNEL_DS, .ds = KERNEL_DS, .fs = KERNEL_DS, .gs = KERNEL_DS, .io_map = sizeof(struct tss),
    };
    set_idt(DF, gate(TASK_GATE, task, 0, 0));
    task_error_code = 0xDEAD;
    absent(GP);
    u32 esp_before;
    asm volatile("movl %%esp, %0; xorl %%ecx, %%ecx; movl %%ecx, %%ss\n"
                 "double_fault_resume:"
                 : "=&r"(esp_before) : : "ecx", "memory");
    restore(GP);
    restore(DF);
    check("#DF task: error code on the task's stack", task_error_code, 0);
    check("#DF task: TR", task_tr & 0xFFFF, task);
    check("#DF task: back link", double_fault_tss.link & 0xFFFF, TSS_SELECTOR);
    check("#DF task: ESP saved in the interrupted task", main_tss.esp, esp_before);
    check("#DF task: NT is clear after IRET", read_eflags() & EFLAGS_NT, 0);
}

/* An exception in the handler of another, two deep. */
static u32 depth_seen;
static void on_undefined(struct trap_frame *f) {
    depth_seen = depth_seen * 16 + 1;
    asm volatile("int3");
    depth_seen = depth_seen * 16 + 3;
    f->eip += 2;
}
static void on_breakpoint(struct trap_frame *f) { depth_seen = depth_seen * 16 + 2; }

static void nested(void) {
    trap_handlers[UD] = on_undefined;
    trap_handlers[BP] = on_breakpoint;
    depth_seen = 0;
    probe("ud2; nop");
    check_no_trap("exception within a handler");
    check("exception within a handler: order", depth_seen, 0x123);
    trap_handlers[UD] = trap_handlers[BP] = 0;
}

void double_faults(void) {
    pairs();
    page_fault_pairs();
    task_gate();
    nested();
}
