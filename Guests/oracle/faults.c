/* Faults of the case that is running, and cases that do not end. */
#include "oracle.h"

struct record *volatile current;
volatile u32 runs;

/* Linux, arch/x86/include/uapi/asm/sigcontext.h: struct sigcontext_32. */
struct context {
    u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trapno, err, eip, cs, eflags, esp_at_signal, ss;
    u32 fpstate, oldmask, cr2;
};

/* struct ucontext_ia32, as far as needed. */
struct ucontext {
    u32 flags, link, stack[3];
    struct context context;
};

struct action {
    void (*handler)(void);
    u32 flags;
    void (*restorer)(void);
    u32 mask[2];
};

enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGVTALRM = 26, SIGSYS = 31 };
enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000 };
enum { SYS_SIGALTSTACK = 186, SYS_SETITIMER = 104, SYS_RT_SIGACTION = 174, SYS_RT_SIGPROCMASK = 175 };
enum { PAGE_FAULT = 14 };

/* The FNSAVE image that precedes the FXSAVE image in a signal frame. */
#define FPSTATE_FX 112

extern char exit_point[], exit_end[];

/* Frames are some 3 KiB with AVX-512. */
static u8 signal_stack[32768] __attribute__((aligned(64)));

static u32 vector(int signal, const struct context *c) {
    if (signal == SIGVTALRM) return VECTOR_RUNAWAY;
    if (signal == SIGSYS) return VECTOR_SYSCALL;
    /* Only with a data segment that cannot be used for the stores there. Being single-stepped to it is another matter. */
    if (c->eip >= (u32)exit_point && c->eip < (u32)exit_end && signal != SIGTRAP) return VECTOR_END;
    return c->trapno;
}

static void record_fault(struct record *r, int signal, const struct context *c) {
    r->registers[0] = c->eax;
    r->registers[1] = c->ecx;
    r->registers[2] = c->edx;
    r->registers[3] = c->ebx;
    r->registers[4] = c->esp_at_signal;
    r->registers[5] = c->ebp;
    r->registers[6] = c->esi;
    r->registers[7] = c->edi;
    r->eflags = c->eflags;
    r->vector = vector(signal, c);
    r->eip = r->vector == VECTOR_END ? (u32)exit_point : c->eip;
    r->error_code = c->err;
    r->cr2 = r->vector == PAGE_FAULT ? c->cr2 : 0;
    r->selectors[0] = c->es;
    r->selectors[1] = c->cs;
    r->selectors[2] = c->ss;
    r->selectors[3] = c->ds;
    r->selectors[4] = c->fs;
    r->selectors[5] = c->gs;
    memcpy(r->fx, (const void *)(c->fpstate + FPSTATE_FX), sizeof r->fx);
}

/* Called by signal_entry. */
void handle_signal(int signal, void *info, struct ucontext *ucontext) {
    static u32 runs_at_tick;
    (void)info;
    if (signal == SIGVTALRM && (!current || runs != runs_at_tick)) {
        /* A case that is still running at the next tick will have had a whole period. */
        runs_at_tick = runs;
        return;
    }
    if (!current) fail("a fault of its own");
    record_fault(current, signal, &ucontext->context);
    leave_record();
}

void install_handlers(void) {
    static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGVTALRM, SIGSYS};
    u32 stack[3] = {(u32)signal_stack, 0, sizeof signal_stack};
    if (system_call(SYS_SIGALTSTACK, (u32)stack, 0, 0, 0, 0, 0) != 0) fail("sigaltstack");
    struct action action = {signal_entry, SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER, signal_return, {0, 0}};
    for (u32 i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (system_call(SYS_RT_SIGACTION, signals[i], (u32)&action, 0, 8, 0, 0) != 0) fail("sigaction");
    }
    /* Who started this may have been a thread that takes no signals. */
    u32 none[2] = {0, 0};
    if (system_call(SYS_RT_SIGPROCMASK, 2 /* SIG_SETMASK */, (u32)none, 0, 8, 0, 0) != 0) fail("sigprocmask");
    /* Every 10 ms of time spent in this program: a busy host must not look like a case without end. */
    u32 timer[4] = {0, 10000, 0, 10000};
    if (system_call(SYS_SETITIMER, 1 /* ITIMER_VIRTUAL */, (u32)timer, 0, 0, 0, 0) != 0) fail("setitimer");
}
