/* The 8254: counting, latching, periodic interrupts, and waking from HLT. */
#include "interrupts.h"

enum { CHANNEL0 = 0x40, CHANNEL2 = 0x42, CONTROL = 0x43, GATE2 = 0x61 };

/* Mode 2 begins with its output high: coming from mode 0, that edge is a tick already. It is dropped here. */
static void periodic(u32 divisor) {
    u8 mask = inb(MASTER + DATA);
    outb(CONTROL, 0x34); /* channel 0, mode 2 */
    outb(CHANNEL0, divisor), outb(CHANNEL0, divisor >> 8);
    reset_controllers(false);
    outb(MASTER + DATA, mask);
}

static u32 latched(void) {
    outb(CONTROL, 0x00); /* latch channel 0 */
    u32 low = inb(CHANNEL0);
    return low | inb(CHANNEL0) << 8;
}

static void counting(void) {
    periodic(0xFFFF);
    u32 first = latched(), moves = 0, within = 0;
    for (u32 i = 0; i < 100; i++) {
        u32 next = latched();
        moves += next != first;
        within += next >= 1 && next <= 0xFFFF;
        first = next;
    }
    check("the counter moves", moves > 0, true);
    check("the counter stays within its divisor", within, 100);
    outb(CONTROL, 0xE2); /* read-back: status of channel 0 */
    check("status shows mode 2 and both bytes", inb(CHANNEL0) & 0x3F, 0x34);

    outb(GATE2, (inb(GATE2) & ~2) | 1); /* gate of channel 2 on, speaker off */
    outb(CONTROL, 0xB0);                /* mode 0 */
    u32 before = inb(GATE2) >> 5 & 1;
    outb(CHANNEL2, 0xFF), outb(CHANNEL2, 0x0F);
    u32 polls = 0;
    while (!(inb(GATE2) & 0x20) && polls < 100000000) polls++;
    check("channel 2, mode 0: output is low at first", before, 0);
    check("channel 2, mode 0: output goes high after some time", polls > 0 && polls < 100000000, true);
}

/* How many of 20 ticks wake HLT once, at the instruction after it. */
static u32 wakings(void) {
    u32 after_halt = 0, right = 0;
    forget();
    for (u32 i = 0; i < 20; i++) {
        asm volatile("movl $1f, %0; sti; hlt; 1: cli" : "=&r"(after_halt) : : "memory");
        right += seen[TIMER].count == i + 1 && seen[TIMER].eip == after_halt;
    }
    return right;
}

/* HLT must wake at each tick. Where time is real and the host busy, one more may come before CLI: then try again. */
static void waking(void) {
    set_mask((u16)~(1 << TIMER));
    periodic(1193); /* 1 kHz */
    u32 right = 0;
    for (u32 attempt = 0; attempt < 5 && right != 20; attempt++) right = wakings();
    check("20 ticks wake HLT 20 times, EIP after it", right, 20);
    /* A loop that only the handler's store can end. */
    static volatile u32 *const count = &seen[TIMER].count;
    forget();
    asm volatile("sti");
    while (*count < 5) {}
    asm volatile("cli");
    check("ticks arrive in a polling loop", *count >= 5, true);
    quiet_timer();
}

/* A loop in registers alone: the handler leaves by changing the interrupted ECX. */
static void end_loop(struct trap_frame *f) {
    f->ecx = 1;
    end_of_interrupt(TIMER);
}

static void register_loop(void) {
    handle(TIMER, end_loop);
    periodic(1193);
    u32 ecx = 0, eax = 0;
    asm volatile("sti; 1: incl %1; cmpl $1, %0; jne 1b; cli" : "+c"(ecx), "+a"(eax) : : "memory", "cc");
    check("a loop without memory accesses is interrupted", ecx, 1);
    check("and ran before", eax > 1, true);
    handle(TIMER, note);
    quiet_timer();
}

/* Without an end of interrupt no second tick arrives, however long one waits. */
static u32 silent_count;
static void silent(struct trap_frame *f) { silent_count++; }

static void no_acknowledge(void) {
    handle(TIMER, silent);
    silent_count = 0;
    periodic(1193);
    asm volatile("sti");
    u32 previous = 0xFFFF, wraps = 0;
    while (wraps < 5) { /* five periods */
        u32 now = latched();
        wraps += now > previous;
        previous = now;
    }
    asm volatile("cli");
    while (!(pic_register(MASTER, READ_IRR) & 1)) {}
    check("no further tick before the end of interrupt", silent_count, 1);
    outb(MASTER, EOI);
    asm volatile("sti; nop; nop; cli" : : : "memory");
    check("the tick that waited arrives after it", silent_count, 2);
    outb(MASTER, EOI);
    handle(TIMER, note);
    quiet_timer();
    asm volatile("sti; nop; nop; cli" : : : "memory");
}

/* Mode 0 interrupts once. */
static void one_shot(void) {
    forget();
    make_timer_pending();
    asm volatile("sti; nop; nop; cli" : : : "memory");
    for (u32 i = 0; i < 1000; i++) latched();
    asm volatile("sti; nop; nop; cli" : : : "memory");
    check("one-shot: one interrupt", seen[TIMER].count, 1);
}

/* From ring 3: the inner stack is used, and IRET goes back. */
static u32 outer_stack_pointer, outer_code;
static void from_outside(struct trap_frame *f) {
    outer_code = f->cs & 0xFFFF;
    outer_stack_pointer = f->esp;
    f->ecx = 1;
    end_of_interrupt(TIMER);
}

static void from_ring_3(void) {
    handle(TIMER, from_outside);
    ring_reset();
    outer_eflags = EFLAGS_IF | 2;
    periodic(1193);
    probe_outer("xorl %%ecx, %%ecx; 1: cmpl $1, %%ecx; jne 1b", : : "ecx");
    check_vector("a loop in ring 3 is interrupted and goes on", REACHED, 0);
    check("interrupt from ring 3: CS", outer_code, USER_CS);
    check("interrupt from ring 3: ESP", outer_stack_pointer, (u32)user_stack_top);
    ring_reset();
    handle(TIMER, note);
    quiet_timer();
}

void timer(void) {
    counting();
    waking();
    register_loop();
    no_acknowledge();
    one_shot();
    from_ring_3();
    set_mask(0xFFFF);
}
