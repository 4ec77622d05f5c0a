/* #DB and #BP: single step, breakpoint registers, INT3, ICEBP (SDM 3B 17.2 and 17.3). */
#include "guest.h"
#include "exceptions.h"

enum { DR6_BD = 1 << 13, DR6_BS = 1 << 14, DR6_CAUSES = 0xF | DR6_BD | DR6_BS };
enum { DR7_L0 = 1, DR7_G0 = 2, DR7_GD = 1 << 13, EXECUTE = 0, WRITE = 1, PORT = 2, ACCESS = 3 };

/* DR7 with breakpoint `n` enabled for `length` (1, 2 or 4) bytes. */
static u32 dr7(u32 n, u32 kind, u32 length) { return DR7_L0 << 2 * n | (kind | (length - 1) << 2) << (16 + 4 * n); }

/* ---- Single step ---- */

enum { MOST_STEPS = 12 };
static struct { u32 count, limit, first_eflags_inside, dr6; i32 offset[MOST_STEPS]; u32 eflags[MOST_STEPS]; } steps;

static void on_step(struct trap_frame *f) {
    if (!steps.count) {
        steps.first_eflags_inside = read_eflags();
        steps.dr6 = read_dr6();
    }
    write_dr6(0);
    steps.offset[steps.count] = (i32)(f->eip - probe_start);
    steps.eflags[steps.count] = f->eflags;
    if (++steps.count == steps.limit) f->eflags &= ~EFLAGS_TF;
}

static void on_skippable_fault(struct trap_frame *f) { f->eip += 2; }
static void on_interrupt(struct trap_frame *f) {}

/* `code` starts at offset 6; the trap after `most` steps switches single stepping off. */
#define single_step(most, code, operands...)              \
    steps.count = 0, steps.limit = most;                  \
    write_dr6(0);                                         \
    trap_handlers[DB] = on_step;                          \
    probe("pushl $0x102; popfl\n\t" code, operands);      \
    trap_handlers[DB] = 0

static void check_steps(const char *name, const char *expected) {
    char text[128], *end = text;
    *end = 0;
    for (u32 i = 0; i < steps.count; i++) end = format(end, i ? " %u" : "%u", (u32)steps.offset[i]);
    check_string(name, text, expected);
}

static void single_stepping(void) {
    single_step(3, "nop; nop; nop; nop");
    check_steps("TF: first trap one instruction after the POPF", "7 8 9");
    check("TF: DR6.BS", steps.dr6 & DR6_CAUSES, DR6_BS);
    check("TF is set in the pushed EFLAGS", steps.eflags[0] & EFLAGS_TF, EFLAGS_TF);
    check("TF is clear in the handler", steps.first_eflags_inside & EFLAGS_TF, 0);
    check("TF: RF is clear in the pushed EFLAGS", steps.eflags[0] & EFLAGS_RF, 0);

    single_step(3, "jmp 1f; nop; 1: nop; nop; nop");
    check_steps("TF: across a jump", "9 10 11");

    trap_handlers[0x40] = on_interrupt;
    single_step(2, "nop; int $0x40; nop; nop; nop");
    trap_handlers[0x40] = 0;
    check_steps("TF: INT n clears it, IRET sets it again for the instruction after", "7 10");

    trap_handlers[UD] = on_skippable_fault;
    single_step(2, "nop; ud2; nop; nop; nop");
    trap_handlers[UD] = 0;
    check_steps("TF: a fault is not followed by a trap", "7 10");

    single_step(3, "movl %0, %%ss; nop; nop; nop", : "r"(KERNEL_DS));
    check_steps("TF: no trap between MOV SS and the instruction after it", "9 10 11");
    single_step(3, "pushl %0; popl %%ss; nop; nop; nop", : "r"(KERNEL_DS));
    check_steps("TF: no trap between POP SS and the instruction after it", "7 9 10");

    u8 bytes[4];
    single_step(5, "movl $3, %%ecx; rep lodsb; nop; nop", : "S"(bytes) : "eax", "ecx");
    check_steps("TF: a trap after each iteration of REP", "11 11 11 13 14");
    check("TF: RF is set between iterations", steps.eflags[1] & EFLAGS_RF, EFLAGS_RF);
    check("TF: RF is clear after the last iteration", steps.eflags[3] & EFLAGS_RF, 0);
}

/* ---- Breakpoint registers ---- */

static u32 watched[4];
extern const u8 debug_target[];
asm(".text; debug_target: nop; nop; nop; ret");

static void arm(u32 address, u32 control) {
    write_dr6(0);
    write_dr0(address);
    write_dr7(control);
}

/* `length`: of the instruction; a data breakpoint traps after it. */
#define check_watch(name, length)                                          \
    do {                                                                   \
        u32 dr6 = read_dr6();                                              \
        write_dr7(0);                                                      \
        check_trap(name, DB, 0, length);                                   \
        check(name ": DR6", dr6 & DR6_CAUSES, 1);                          \
    } while (0)
#define check_unwatched(name)                                              \
    do {                                                                   \
        write_dr7(0);                                                      \
        check_no_trap(name);                                               \
    } while (0)

static void data_breakpoints(void) {
    u32 base = (u32)watched;
    arm(base + 4, dr7(0, WRITE, 4));
    probe("movl %%ecx, (%0); nop", : "r"(base + 4), "c"(1));
    check_watch("data breakpoint, write", 2);
    check("the watched write happened", watched[1], 1);
    arm(base + 4, dr7(0, WRITE, 4));
    probe("movl (%0), %%ecx; nop", : "r"(base + 4) : "ecx");
    check_unwatched("write breakpoint, read");
    arm(base + 4, dr7(0, ACCESS, 4));
    probe("movl (%0), %%ecx; nop", : "r"(base + 4) : "ecx");
    check_watch("access breakpoint, read", 2);
    arm(base + 4, dr7(0, WRITE, 4) ^ (DR7_L0 | DR7_G0));
    probe("movb %%cl, 3(%0); nop", : "r"(base + 4), "c"(1));
    check_watch("global enable, last byte of the range", 3);
    arm(base + 4, dr7(0, WRITE, 4));
    probe("movl %%ecx, -3(%0); nop", : "r"(base + 4), "c"(1));
    check_watch("write that reaches into the range", 3);
    arm(base + 4, dr7(0, WRITE, 4));
    probe("movl %%ecx, -4(%0); movl %%ecx, 4(%0)", : "r"(base + 4), "c"(1));
    check_unwatched("writes on both sides of the range");
    arm(base + 6, dr7(0, WRITE, 2));
    probe("movw %%cx, -2(%0); movb %%cl, 1(%0); nop", : "r"(base + 6), "c"(1));
    check_watch("two-byte range", 7);
    arm(base + 4, 0);
    probe("movl %%ecx, (%0); nop", : "r"(base + 4), "c"(1));
    check_unwatched("breakpoint disabled");
    arm(base + 4, dr7(0, WRITE, 4));
    probe("pushl $0x102; popfl; movl %%ecx, (%0); nop", : "r"(base + 4), "c"(1));
    u32 dr6 = read_dr6();
    write_dr7(0);
    check_trap("data breakpoint and TF make one trap", DB, 0, 8);
    check("data breakpoint and TF: DR6", dr6 & DR6_CAUSES, DR6_BS | 1);
    arm(base + 4, dr7(0, WRITE, 1));
    probe("rep stosb; nop", : "D"(base + 2), "c"(6), "a"(0));
    check_watch("data breakpoint within REP STOS", 0);
    check("REP STOS stopped after the watched byte", trap.ecx, 3);
}

static u32 executed, executed_eflags;
static void on_execute(struct trap_frame *f) {
    executed++;
    executed_eflags = f->eflags;
    write_dr6(0);
    f->eflags |= EFLAGS_RF; /* or the same breakpoint would be taken for ever */
}

static void instruction_breakpoints(void) {
    u32 target = (u32)debug_target;
    write_dr6(0);
    write_dr1(target + 1);
    write_dr7(dr7(1, EXECUTE, 1));
    probe("call *%0", : "r"(debug_target));
    u32 dr6 = read_dr6();
    write_dr7(0);
    check("instruction breakpoint: vector", trap.vector, DB);
    check("instruction breakpoint is a fault", trap.eip, target + 1);
    check("instruction breakpoint: DR6", dr6 & DR6_CAUSES, 2);
    check("instruction breakpoint: RF is clear in the pushed EFLAGS", trap.eflags & EFLAGS_RF, 0);

    executed = 0;
    trap_handlers[DB] = on_execute;
    write_dr0(target + 2);
    write_dr7(dr7(0, EXECUTE, 1) | dr7(1, EXECUTE, 1));
    probe("call *%0", : "r"(debug_target));
    write_dr7(0);
    trap_handlers[DB] = 0;
    check_no_trap("RF resumes an instruction breakpoint");
    check("RF lasts for one instruction: the next breakpoint is taken", executed, 2);
    check("RF is clear again at the second breakpoint", executed_eflags & EFLAGS_RF, 0);
    write_dr0(0);
    write_dr1(0);
}

static void debug_registers(void) {
    write_dr6(0);
    write_dr7(DR7_GD);
    probe("movl %%dr0, %%eax", : : "eax");
    u32 dr7_after = read_dr7();
    check_fault("#DB general detect", DB, 0);
    check("general detect: DR6.BD", read_dr6() & DR6_CAUSES, DR6_BD);
    check("general detect: DR7.GD is clear in the handler", dr7_after & DR7_GD, 0);
    write_dr7(0);
    write_dr6(0);
    check("DR6 reads its reserved bits as ones", read_dr6() & ~0x1F000u, 0xFFFE0FF0);
    check("DR7 reads bit 10 as one", read_dr7(), 0x400);
    if (!cpu_has(CPU_DE)) return skip("CR4.DE", "DE");
    u32 value;
    asm volatile("movl %%db5, %0" : "=r"(value));
    check("DR5 is DR7 with CR4.DE clear", value, 0x400);
    write_cr4(read_cr4() | CR4_DE);
    probe("movl %%db4, %%eax", : : "eax");
    check_fault("#UD DR4 with CR4.DE set", UD, 0);
    arm(0x80, dr7(0, PORT, 1));
    probe("outb %%al, $0x80; nop", : "a"(0));
    check_watch("I/O breakpoint", 2);
    arm(0x80, dr7(0, PORT, 1));
    probe("outb %%al, $0x84; nop", : "a"(0));
    check_unwatched("I/O breakpoint, another port");
    write_cr4(read_cr4() & ~CR4_DE);
}

static void instructions(void) {
    probe("int3; nop");
    check_trap("#BP INT3 is a trap", BP, 0, 1);
    check("#BP: RF is clear in the pushed EFLAGS", trap.eflags & EFLAGS_RF, 0);
    probe(".byte 0xCD, 3; nop");
    check_trap("#BP INT 3 in two bytes", BP, 0, 2);
    write_dr6(0);
    probe(".byte 0xF1; nop");
    check_trap("#DB ICEBP is a trap", DB, 0, 1);
    check("ICEBP: DR6", read_dr6() & DR6_CAUSES, 0);
    probe("pushl $0x802; popfl; into; nop");
    check_trap("#OF INTO with OF set", OF, 0, 7);
    probe("pushl $2; popfl; into; nop");
    check_no_trap("INTO with OF clear");
}

void debug_exceptions(void) {
    instructions();
    single_stepping();
    data_breakpoints();
    instruction_breakpoints();
    debug_registers();
}
