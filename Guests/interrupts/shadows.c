/* Exactly when a pending interrupt is taken: after STI's shadow, after POPF and IRET at once, within REP (SDM 2B "STI"). */
#include "interrupts.h"

#define PENDING(code, operands...)    \
    make_one_request();                     \
    probe(code, operands)

/* Exactly one request of the timer. "STI, CLI" leaves one behind, which QEMU keeps when the line goes low again (the 8259A
 * drops it): without new controllers the wait would end at once, and the timer's own request would come as a second one. */
static void make_one_request(void) {
    forget();
    quiet_timer();
    reset_controllers(false);
    set_mask((u16)~(1 << TIMER));
    make_timer_pending();
}

static void check_taken_at(const char *name, u32 offset) {
    char text[96];
    check(name, seen[TIMER].eip - probe_start, offset);
    format(text, "%s: once", name);
    check(text, seen[TIMER].count, 1);
}

void shadows(void) {
    PENDING("sti; nop; nop; nop; cli");
    check_taken_at("STI: after the next instruction", 2);
    PENDING("sti; cli; nop; nop");
    check("STI, CLI: no interrupt", seen[TIMER].count, 0);
    PENDING("sti; sti; nop; nop; cli");
    check_taken_at("STI, STI: the second has no shadow", 2);
    PENDING("pushl $0x202; popfl; nop; nop; cli");
    check_taken_at("POPF: at once", 6);
    PENDING("pushl $0x202; pushl %%cs; pushl $1f; iretl; 1: nop; nop; cli");
    check_taken_at("IRET: at once", 12);
    PENDING("sti; hlt; nop; cli");
    check_taken_at("STI, HLT: after the HLT", 2);
    PENDING("sti; movl %0, %%ss; nop; nop; cli", : "r"(KERNEL_DS));
    check("STI, MOV SS: within two instructions", seen[TIMER].eip - probe_start == 3 || seen[TIMER].eip - probe_start == 4, true);
    check("STI, MOV SS: once", seen[TIMER].count, 1);
    quiet_timer();
}

/* A long REP is interrupted between iterations; the registers say how far it got. */
enum { BYTES = 6 << 20, FROM = 8 << 20 };
static u32 rep_eip, rep_ecx, rep_edi, rep_code;
static void within_rep(struct trap_frame *f) {
    bool between = *(u16 *)f->eip == 0xAAF3 && f->ecx < BYTES; /* REP STOSB, begun */
    if (between && !rep_eip) rep_eip = f->eip, rep_ecx = f->ecx, rep_edi = f->edi;
    end_of_interrupt(TIMER);
}

void long_instructions(void) {
    handle(TIMER, within_rep);
    set_mask((u16)~(1 << TIMER));
    outb(0x43, 0x34), outb(0x40, 1193 & 0xFF), outb(0x40, 1193 >> 8);
    rep_eip = 0;
    for (u32 pass = 1; pass <= 20 && !rep_eip; pass++) {
        u32 edi = FROM, ecx = BYTES;
        asm volatile("movl $1f, %2; sti; nop; 1: rep stosb; cli" : "+D"(edi), "+c"(ecx), "=&r"(rep_code) : "a"(pass) : "memory");
        bool all = true;
        for (u32 i = 0; i < BYTES; i += 4) all &= *(volatile u32 *)(FROM + i) == pass * 0x01010101;
        if (rep_eip) {
            check("REP STOS is interrupted: EIP is its own", rep_eip, rep_code);
            check("REP STOS is interrupted: ECX and EDI agree", rep_edi + rep_ecx, FROM + BYTES);
            check("REP STOS is interrupted: in the middle", rep_ecx > 0 && rep_ecx < BYTES, true);
            check("REP STOS is resumed: all is filled", all, true);
            check("REP STOS is resumed: ECX", ecx, 0);
        }
    }
    check("REP STOS was interrupted at all", rep_eip != 0, true);
    handle(TIMER, note);
    quiet_timer();
}
