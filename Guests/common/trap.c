#include "guest.h"

struct trap trap;
trap_handler *trap_handlers[256];
u32 outer_cs = USER_CS, outer_ss = USER_DS, outer_ds = USER_DS, outer_esp = (u32)user_stack_top, outer_eflags = 2;

extern struct trap_frame foreign_frame;
extern u32 foreign_esp, foreign_ss;
_Noreturn void probe_leave(struct trap_frame *);

void ring_reset(void) {
    outer_cs = USER_CS;
    outer_ss = outer_ds = USER_DS;
    outer_esp = (u32)user_stack_top;
    outer_eflags = 2;
}

static void record(const struct trap_frame *f) {
    bool outer = (f->cs & 3) || (f->eflags & EFLAGS_VM);
    trap = (struct trap){
        .vector = f->vector, .error = f->error, .eip = f->eip, .cs = f->cs & 0xFFFF, .eflags = f->eflags, .cr2 = read_cr2(),
        .eax = f->eax, .ecx = f->ecx, .edx = f->edx, .ebx = f->ebx, .ebp = f->ebp, .esi = f->esi, .edi = f->edi,
        .ds = f->ds, .es = f->es, .fs = f->fs, .gs = f->gs,
        .offset = (i32)(f->eip - probe_start),
    };
    if (f->eflags & EFLAGS_VM) { /* the frame's own are null by now */
        trap.ds = f->v86_ds;
        trap.es = f->v86_es;
        trap.fs = f->v86_fs;
        trap.gs = f->v86_gs;
    }
    if (outer) {
        trap.esp = f->esp;
        trap.ss = f->ss & 0xFFFF;
    } else if (f == &foreign_frame) {
        trap.esp = foreign_esp;
        trap.ss = foreign_ss & 0xFFFF;
    } else {
        trap.esp = (u32)&f->esp;
        trap.ss = KERNEL_DS;
    }
}

void trap_dispatch(struct trap_frame *f) {
    if (trap_handlers[f->vector]) return trap_handlers[f->vector](f);
    u32 expected = probe_resume;
    record(f);
    if (expected) probe_leave(f);
    char text[64];
    describe_trap(text, &trap);
    print("FAIL unexpected trap: got %s (EIP %x, CS %x, ESP %x, CR2 %x), expected none\n", text, trap.eip, trap.cs, trap.esp,
          trap.cr2);
    count_failure();
    finish();
}
